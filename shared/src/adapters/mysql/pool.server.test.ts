import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import type { MysqlSettings } from '../../config/program-settings'
import { counted } from '../../testing/counted'
import { isUnavailable, openMysqlBehindProxy, selectOne } from '../../testing/mysql-behind-proxy'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase, testMysqlSettings } from '../../testing/sql-database'
import { createSteppedTime } from '../../testing/stepped-time'
import { transact } from '../sql/database'
import type { Database } from '../sql/schema'
import { createMysqlPrimary } from './primary'

const MINUTE = 60_000

describe.skipIf(!testServers.mysql)('a pool of connections to MySQL', () => {
  let shared: TestDatabase
  let settings: MysqlSettings

  beforeAll(async () => {
    shared = await openTestDatabase('mysql')
    settings = { ...testMysqlSettings(), database: new URL(shared.url).pathname.slice(1) }
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  async function connectionOf(db: Kysely<Database>): Promise<number> {
    const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(db)
    return rows[0]!.id
  }

  async function isOpen(connection: number): Promise<boolean> {
    const { rows } = await sql`select 1 from performance_schema.threads
      where processlist_id = ${connection}`.execute(shared.db)
    return rows.length > 0
  }

  const failWith = (errno: number) =>
    sql`signal sqlstate '45000' set mysql_errno = ${sql.lit(errno)}, message_text = 'no'`

  // A server that was demoted, is shut down, or has left its group.
  test.each([1053, 1180, 1290, 1792, 1836, 1874, 3032, 3100, 3101, 9001])(
    'a connection whose server says %p is not used again, and the caller may try again',
    async (errno) => {
      await using database = await openMysqlBehindProxy(settings, { poolSize: 1 })
      const { db, metrics } = database
      const first = await connectionOf(db)
      expect(await isUnavailable(failWith(errno).execute(db))).toBe(true)
      expect(await connectionOf(db)).not.toBe(first)
      expect(await counted(metrics.poolDiscards, { reason: 'refused' })).toBe(1)
    },
  )

  test('neither is one whose server says so within a transaction, which fails', async () => {
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1 })
    const { db } = database
    let inside = 0
    const work = transact(db, async (tx) => {
      inside = await connectionOf(tx as unknown as Kysely<Database>)
      await failWith(1290)
        .execute(tx)
        .catch(() => {})
      await selectOne(tx as unknown as Kysely<Database>)
    })
    expect(await isUnavailable(work)).toBe(true)
    expect(await connectionOf(db)).not.toBe(inside)
  })

  test.each([1040, 1205, 1213, 1062, 1317, 3024])(
    'a connection whose statement fails with %p is used again',
    async (errno) => {
      await using database = await openMysqlBehindProxy(settings, { poolSize: 1 })
      const { db } = database
      const first = await connectionOf(db)
      await failWith(errno)
        .execute(db)
        .catch(() => {})
      expect(await connectionOf(db)).toBe(first)
    },
  )

  test('a connection that is used all the time ends with its lifetime', async () => {
    const { time, advance } = createSteppedTime({ stepMs: 1_000 })
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1, time })
    const { db, metrics } = database
    const first = await connectionOf(db)
    let used = 0
    for (; used < 30 && (await connectionOf(db)) === first; used += 1) await advance(MINUTE / 2)
    // Ten minutes, less a random part of a fifth.
    expect(used).toBeWithin(16, 21)
    expect(await counted(metrics.poolDiscards, { reason: 'lifetime' })).toBe(1)
    expect(await counted(metrics.poolDiscards, { reason: 'idle' })).toBe(0)
    expect(await isOpen(first)).toBe(false)
  })

  test('one that is in use is left to whoever uses it, and is not used again', async () => {
    const { time, advance } = createSteppedTime({ stepMs: 1_000 })
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1, time })
    const { db } = database
    const inside = await db.connection().execute(async (connection) => {
      const id = await connectionOf(connection)
      await advance(20 * MINUTE)
      expect(await connectionOf(connection)).toBe(id)
      return id
    })
    expect(await connectionOf(db)).not.toBe(inside)
  })

  test('one that nobody needs for a minute is closed', async () => {
    const { time, advance } = createSteppedTime({ stepMs: 1_000 })
    await using database = await openMysqlBehindProxy(settings, { poolSize: 4, time })
    const { db, metrics } = database
    await Promise.all(Array.from({ length: 4 }, () => sql`select sleep(0.05)`.execute(db)))
    const kept = await connectionOf(db)
    await advance(MINUTE - 2_000)
    expect(await counted(metrics.poolDiscards, { reason: 'idle' })).toBe(0)
    expect(await connectionOf(db)).toBe(kept)
    await advance(4_000)
    expect(await counted(metrics.poolDiscards, { reason: 'idle' })).toBe(3)
    expect(await connectionOf(db)).toBe(kept)
  })

  test('what is in flight on a connection that is thrown away is answered at once', async () => {
    // Nothing else would answer it.
    const endless = { poolSize: 2, queryTimeoutMs: 0 }
    await using database = await openMysqlBehindProxy(settings, endless)
    const slow = sql`do sleep(60)`.execute(database.db)
    const isFailed = isUnavailable(slow)
    await selectOne(database.db)
    database.discardOthers(null)
    expect(await isFailed).toBe(true)
    await selectOne(database.db)
  })

  describe('that leads to the primary only', () => {
    async function serverId(): Promise<string> {
      const { rows } = await sql<{ id: string }>`select @@server_uuid as id`.execute(shared.db)
      return rows[0]!.id
    }

    /** A pool, and a fence of which the test says what a look at it finds. */
    async function openGated(poolSize = 2) {
      const here = await serverId()
      const { time, advance } = createSteppedTime({ stepMs: 100 })
      const found = { server: here as string | null, looks: 0 }
      const primary = createMysqlPrimary({
        time,
        look: async () => {
          found.looks += 1
          if (found.server === null) throw new Error('the server is read-only')
          const age = found.looks === 1 ? Number.POSITIVE_INFINITY : 0
          primary.saw({ at: time.now(), server: found.server, ageMs: age })
        },
      })
      const database = await openMysqlBehindProxy(settings, { poolSize, primary, time })
      return { ...database, here, found, primary, advance }
    }

    test('looks again when the lease of the last look is over, not before', async () => {
      await using pool = await openGated()
      await selectOne(pool.db)
      expect(pool.found.looks).toBe(1)
      await pool.advance(1_900)
      await selectOne(pool.db)
      expect(pool.found.looks).toBe(1)
      await pool.advance(100)
      await selectOne(pool.db)
      expect(pool.found.looks).toBe(2)
    })

    test('answers nothing where no look finds a primary', async () => {
      await using pool = await openGated()
      pool.found.server = null
      await selectOne(pool.db)
      await pool.advance(2_000)
      expect(await isUnavailable(selectOne(pool.db))).toBe(true)
      expect(await isUnavailable(transact(pool.db, selectOne))).toBe(true)
      pool.found.server = pool.here
      await selectOne(pool.db)
    })

    test('never uses a connection to a server that is no longer the primary, and fails what is in flight there', async () => {
      await using pool = await openGated()
      const isFailed = isUnavailable(sql`do sleep(60)`.execute(pool.db))
      await selectOne(pool.db)
      // Another server takes writes; new connections still lead to the old one.
      pool.primary.saw({ at: 0, server: 'another', ageMs: Number.POSITIVE_INFINITY })
      pool.found.server = 'another'
      expect(await isFailed).toBe(true)
      expect(await isUnavailable(selectOne(pool.db))).toBe(true)
      expect(await counted(pool.metrics.poolDiscards, { reason: 'moved' })).toBeGreaterThan(2)
    })

    test('a refusal of the server ends the lease', async () => {
      await using pool = await openGated()
      await selectOne(pool.db)
      await pool.advance(100)
      await isUnavailable(failWith(1290).execute(pool.db))
      await pool.advance(100)
      pool.found.server = null
      expect(await isUnavailable(selectOne(pool.db))).toBe(true)
    })
  })
})
