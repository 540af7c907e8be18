import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Database } from './schema'

/** Lists are padded to a multiple of this by repeating their last id, so that few texts serve all. */
const LIST_STEP = 8

/**
 * A query about one subject and a list of ids, built and compiled once per length of the list. Building
 * costs more than running it where the answer is a page of look-ups by primary key; only reads that
 * every request makes are worth it. `build` is called with placeholders for both, which it may use as
 * often as it likes, and must not look at their values.
 */
export function prepareQuery<Subject extends number, Id extends number, Row>(
  db: Kysely<Database>,
  build: (subject: Subject, ids: readonly Id[]) => Compilable<Row>,
): (subject: Subject, ids: readonly Id[]) => Promise<readonly Row[]> {
  const compiled = new Map<number, CompiledQuery<Row>>()

  function compile(length: number): CompiledQuery<Row> {
    const known = compiled.get(length)
    if (known) return known
    // Ids are never negative: -1 stands for the subject, -2 and on for the list.
    const list = Array.from({ length }, (_, i) => -2 - i) as Id[]
    const made = build(-1 as Subject, list).compile()
    compiled.set(length, made)
    return made
  }

  return async (subject, ids) => {
    const length = Math.ceil(ids.length / LIST_STEP) * LIST_STEP
    const query = compile(length)
    const parameters = query.parameters.map((parameter) => {
      if (typeof parameter !== 'number' || parameter >= 0) return parameter
      return parameter === -1 ? subject : ids[Math.min(-2 - parameter, ids.length - 1)]
    })
    const bound: CompiledQuery<Row> = { ...query, parameters }
    return (await db.executeQuery(bound)).rows
  }
}
