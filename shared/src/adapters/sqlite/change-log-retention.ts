import type { Kysely } from 'kysely'
import type { Database } from '../sql/schema'

/** Rows deleted per step. */
const PRUNE_STEP = 2_000

/**
 * Deletes a bounded number of the oldest rows that every registered group has finished and that were
 * written before `before` (Unix milliseconds); true if there may be more.
 */
export async function pruneLog(db: Kysely<Database>, before: number): Promise<boolean> {
  const { finished } = await db
    .selectFrom('change_offsets')
    .select((of) => of.fn.min<number | null>('seq').as('finished'))
    .executeTakeFirstOrThrow()
  if (!finished) return false
  const oldest = await db
    .selectFrom('change_log')
    .select(['seq', 'ts_ms'])
    .where('seq', '<=', finished)
    .orderBy('seq')
    .limit(PRUNE_STEP)
    .execute()
  const young = oldest.findIndex((row) => row.ts_ms >= before)
  const last = (young < 0 ? oldest : oldest.slice(0, young)).at(-1)
  if (!last) return false
  await db.deleteFrom('change_log').where('seq', '<=', last.seq).execute()
  return young < 0 && oldest.length === PRUNE_STEP
}
