import { type Kysely, sql } from 'kysely'
import { type MonotonicTime, monotonicTime } from '../../async/sleep'
import { storeUnavailable } from '../../errors/sns-error'
import { type FreshnessFence, type PrimaryLook, REPORT_TTL_MS } from '../../ports/freshness-fence'
import { IS_READ_ONLY } from './read-only'
import type { Database } from './schema'

const FENCE = 1
/** A look, the statement that takes over, and another look may each meet another server. */
const TAKE_OVERS = 3
/** A process that has not reported for this long has died. */
const CRASHED_MS = 24 * 3600 * 1000
const NOW = sql<number>`floor(unix_timestamp(now(3)) * 1000)`

/** One of so many: a lossy failover takes fewer numbers back than are left out. */
const JUMP = sql<number>`1 + floor(rand() * 4294967296)`

export interface SqlFreshnessFenceOptions {
  readonly time?: Pick<MonotonicTime, 'now'>
  /** Told of each look that found a server which takes writes. */
  readonly onLook?: (look: PrimaryLook) => void
}

/**
 * The fence as one row of MySQL; each call is one statement, committed before it returns.
 *
 * It is of one server of MySQL, which takes writes: no other one can be read, and a server that took over
 * makes it its own when it is first looked at. That closes it, as another generation, and the next
 * opening is another term. Both are numbers that the server before cannot have used, also where its last
 * transactions are lost.
 */
export function createSqlFreshnessFence(
  db: Kysely<Database>,
  { time = monotonicTime, onLook = () => {} }: SqlFreshnessFenceOptions = {},
): FreshnessFence {
  async function look() {
    return db
      .selectFrom('freshness_fence')
      .select(['generation', 'is_open', 'server', 'term', 'primary_server', 'primary_since'])
      .select([
        sql<string>`@@server_uuid`.as('this_server'),
        sql.raw<number>(IS_READ_ONLY).as('is_read_only'),
        NOW.as('now'),
      ])
      .where('id', '=', FENCE)
      .executeTakeFirstOrThrow()
  }

  /** For whichever server runs it, so that it never says of one what was found at another. */
  async function takeOver(): Promise<void> {
    await sql`update freshness_fence set
        is_open = if(primary_server = '', is_open, 0),
        generation = if(primary_server = '', generation, generation + ${JUMP}),
        term = if(primary_server = '', term, term + ${JUMP}),
        server = if(primary_server = '', server, ''),
        primary_since = if(primary_server = '', 0, ${NOW}),
        primary_server = @@server_uuid
      where id = ${FENCE} and primary_server <> @@server_uuid`.execute(db)
  }

  async function read() {
    for (let attempt = 0; attempt < TAKE_OVERS; attempt += 1) {
      const at = time.now()
      const row = await look()
      if (Number(row.is_read_only) !== 0) {
        throw storeUnavailable('mysql', new Error('the server is read-only: it is no primary'))
      }
      if (row.primary_server === row.this_server) {
        const since = row.primary_since
        const ageMs = since === 0 ? Number.POSITIVE_INFINITY : Math.max(0, row.now - since)
        onLook({ at, server: row.this_server, ageMs })
        const { generation, server, term } = row
        return { generation, isOpen: Boolean(row.is_open), server, term }
      }
      await takeOver()
    }
    throw storeUnavailable('mysql', new Error('connections lead to several servers at once'))
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
