import { type Kysely, sql } from 'kysely'
import { type FreshnessFence, REPORT_TTL_MS } from '../../ports/freshness-fence'
import type { Database } from './schema'

const FENCE = 1
/** A process that has not reported for this long has died. */
const CRASHED_MS = 24 * 3600 * 1000
const NOW = sql<number>`floor(unix_timestamp(now(3)) * 1000)`

/** The fence as one row of MySQL; each call is one statement, committed before it returns. */
export function createSqlFreshnessFence(db: Kysely<Database>): FreshnessFence {
  async function read() {
    const row = await db
      .selectFrom('freshness_fence')
      .select(['generation', 'is_open', 'server', 'term'])
      .where('id', '=', FENCE)
      .executeTakeFirstOrThrow()
    const { generation, server, term } = row
    return { generation, isOpen: Boolean(row.is_open), server, term }
  }

  return {
    read,
    async close() {
      await db
        .updateTable('freshness_fence')
        .set((eb) => ({ is_open: 0, generation: eb('generation', '+', 1) }))
        .where('id', '=', FENCE)
        .where('is_open', '=', 1)
        .execute()
      return read()
    },
    async forgetServer(generation) {
      const { numUpdatedRows } = await db
        .updateTable('freshness_fence')
        .set({ server: '' })
        .where('id', '=', FENCE)
        .where('is_open', '=', 0)
        .where('generation', '=', generation)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async open(server, generation) {
      await db
        .deleteFrom('freshness_processes')
        .where('seen_at', '<', sql<number>`${NOW} - ${CRASHED_MS}`)
        .execute()
      const { numUpdatedRows } = await db
        .updateTable('freshness_fence')
        .set({
          is_open: 1,
          // MySQL assigns from left to right: this still compares with the server before.
          term: sql<number>`term + (server <> ${server})`,
          server,
        })
        .where('id', '=', FENCE)
        .where('is_open', '=', 0)
        .where('generation', '=', generation)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('freshness_processes')
                .select('process')
                .where('seen_at', '>', sql<number>`${NOW} - ${REPORT_TTL_MS}`)
                .where((of) => of.or([of('server', 'is', null), of('server', '<>', server)])),
            ),
          ),
        )
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async report(process, server) {
      await sql`insert into freshness_processes (process, server, seen_at)
        values (${process}, ${server}, ${NOW})
        on duplicate key update server = values(server), seen_at = values(seen_at)`.execute(db)
    },
    async leave(process) {
      await db.deleteFrom('freshness_processes').where('process', '=', process).execute()
    },
  }
}
