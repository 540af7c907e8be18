import type { Kysely } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import type { Database } from '../sql/schema'

/** Rows looked at, and deleted, per step. */
const PRUNE_STEP = 2_000

/**
 * From now on these groups and no others hold back what is deleted from the log. Gives the names of the
 * groups that are forgotten with it: a setting that names them was changed. What they had yet to read is
 * still there for the new ones, which begin at the oldest row.
 */
export async function keepGroups(
  db: Kysely<Database>,
  groups: readonly string[],
): Promise<readonly string[]> {
  return db.transaction().execute(async (tx) => {
    const forgotten = await tx
      .deleteFrom('change_offsets')
      .where('group_name', 'not in', [...groups])
      .returning('group_name')
      .execute()
    await tx
      .insertInto('change_offsets')
      .values(groups.map((group_name) => ({ group_name, seq: 0 })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return forgotten.map((row) => row.group_name)
  })
}

/** Unix milliseconds. */
export interface Age {
  readonly now: number
  readonly before: number
}

/**
 * Deletes a bounded number of the oldest rows that every group has finished and that were written before
 * `before`; true if there may be more. A row is at least as old as those after it, whatever its own time
 * says: a clock may have been wrong.
 */
export async function pruneLog(db: Kysely<Database>, { now, before }: Age): Promise<boolean> {
  const { finished } = await db
    .selectFrom('change_offsets')
    .select((of) => of.fn.min<number | null>('seq').as('finished'))
    .executeTakeFirstOrThrow()
  if (!finished) return false
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('change_log')
      .select(['seq', 'ts_ms'])
      .where('seq', '>', after)
      .where('seq', '<=', finished)
      .orderBy('seq')
      .limit(PRUNE_STEP)
      .execute()
    const last = rows.findLast((row) => row.ts_ms < before)
    if (last) {
      await db.deleteFrom('change_log').where('seq', '<=', last.seq).execute()
      return rows.length === PRUNE_STEP
    }
    // Only times in the future are worth a look at what comes after them.
    if (rows.length < PRUNE_STEP || rows.some((row) => row.ts_ms <= now)) return false
    after = rows.at(-1)?.seq ?? finished
    await yieldToEventLoop()
  }
}
