import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import type { MysqlSettings } from '../../config/program-settings'
import type { UserId } from '../../domain/id'
import { counted } from '../../testing/counted'
import {
  isUnavailable,
  type MysqlBehindProxy,
  openMysqlBehindProxy,
  selectOne,
} from '../../testing/mysql-behind-proxy'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase, testMysqlSettings } from '../../testing/sql-database'
import { transact } from '../sql/database'

describe.skipIf(!testServers.mysql)('MySQL going away', () => {
  let shared: TestDatabase
  let settings: MysqlSettings

  beforeAll(async () => {
    shared = await openTestDatabase('mysql')
    settings = { ...testMysqlSettings(), database: new URL(shared.url).pathname.slice(1) }
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  test('answers store_unavailable while the server is away, and goes on when it is back', async () => {
    await using database = await openMysqlBehindProxy(settings)
    await Promise.all(Array.from({ length: 4 }, () => selectOne(database.db)))
    await database.proxy.cut()
    expect(await isUnavailable(selectOne(database.db))).toBeTrue()
    expect(await isUnavailable(transact(database.db, selectOne))).toBeTrue()
    expect(await counted(database.metrics.storeErrors, { store: 'mysql' })).toBeGreaterThanOrEqual(
      2,
    )
    await database.proxy.resume()
    await Promise.all(Array.from({ length: 20 }, () => selectOne(database.db)))
    await transact(database.db, selectOne)
  })

  test('does not let a transaction go on when its connection is lost', async () => {
    await using database = await openMysqlBehindProxy(settings)
    const id = 77 as UserId
    const row = { id, username: 'lost', display_name: '', created_at: 1, updated_at: 1 }
    let attempts = 0
    const attempt = transact(database.db, async (tx) => {
      attempts++
      await tx.insertInto('users').values(row).execute()
      await database.proxy.cut()
      await database.proxy.resume()
      await tx.selectFrom('users').selectAll().execute()
    })
    expect(await isUnavailable(attempt)).toBeTrue()
    expect(attempts).toBe(1)
    expect(await shared.db.selectFrom('users').selectAll().execute()).toEqual([])
    await selectOne(database.db)
  })

  /** Starts `work` on a connection that the server has closed, which the client is yet to learn. */
  async function onKilledConnection<T>(
    { db, proxy }: MysqlBehindProxy,
    work: () => Promise<T>,
  ): Promise<T> {
    const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(db)
    proxy.stall()
    await sql`kill ${sql.lit(rows[0]?.id ?? 0)}`.execute(shared.db)
    const working = work()
    await proxy.resume()
    return working
  }

  test('repeats a read, or the beginning of a transaction, where its connection is dead', async () => {
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1 })
    const read = await onKilledConnection(database, () => selectOne(database.db))
    expect(read.rows).toEqual([{ one: 1 }])
    expect(await counted(database.metrics.storeRetries, { store: 'mysql' })).toBe(1)
    const inTransaction = await onKilledConnection(database, () => transact(database.db, selectOne))
    expect(inTransaction.rows).toEqual([{ one: 1 }])
    expect(await counted(database.metrics.storeRetries, { store: 'mysql' })).toBe(2)
  })

  test('does not repeat a write, nor a read that may lean on its session', async () => {
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1 })
    const { db } = database
    const write = onKilledConnection(database, () => db.deleteFrom('mutes').execute())
    expect(await isUnavailable(write)).toBeTrue()
    const read = db.connection().execute(async (connection) => {
      const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(connection)
      await sql`kill ${sql.lit(rows[0]?.id ?? 0)}`.execute(shared.db)
      await selectOne(connection)
    })
    expect(await isUnavailable(read)).toBeTrue()
    expect(await counted(database.metrics.storeRetries)).toBe(0)
    await selectOne(db)
  })

  test('gives up on a server that hangs, and throws the connection away', async () => {
    await using database = await openMysqlBehindProxy(settings, {
      poolSize: 1,
      queryTimeoutMs: 300,
    })
    await selectOne(database.db)
    database.proxy.stall()
    expect(await isUnavailable(selectOne(database.db))).toBeTrue()
    await database.proxy.resume()
    // An answer that came too late would now be taken for this one's.
    const { rows } = await sql<{ two: number }>`select 2 as two`.execute(database.db)
    expect(rows).toEqual([{ two: 2 }])
  })

  test('ends a select that the server itself is too slow with', async () => {
    await using database = await openMysqlBehindProxy(settings, { queryTimeoutMs: 300 })
    // Not `sleep`, which answers as if nothing were wrong when the server ends it.
    const endless = sql`select count(*) from information_schema.collations a,
      information_schema.collations b, information_schema.collations c, information_schema.collations d`
    expect(await isUnavailable(endless.execute(database.db))).toBeTrue()
    await selectOne(database.db)
  })

  test('ends though the server does not answer', async () => {
    const database = await openMysqlBehindProxy(settings)
    await selectOne(database.db)
    database.proxy.stall()
    await database.db.destroy()
    await database.proxy[Symbol.asyncDispose]()
  })
})
