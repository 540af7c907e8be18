import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import type { UserId } from '../../domain/id'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError } from '../../errors/sns-error'
import { createMetrics } from '../../observability/metrics'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase, testMysqlSettings } from '../../testing/sql-database'
import { createTcpProxy } from '../../testing/tcp-proxy'
import type { Database } from '../sql/schema'
import { transact } from '../sql/transaction'
import { connectMysql, type MysqlDatabaseOptions, type MysqlSettings } from './database'
import { checkServer } from './server-check'

describe.skipIf(!testServers.mysql)('connectMysql', () => {
  let shared: TestDatabase
  let settings: MysqlSettings

  beforeAll(async () => {
    shared = await openTestDatabase('mysql')
    settings = { ...testMysqlSettings(), database: new URL(shared.url).pathname.slice(1) }
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  /** A database behind a proxy that the test can cut, with metrics to look at. */
  async function openBehindProxy(options: MysqlDatabaseOptions & { poolSize?: number } = {}) {
    const proxy = await createTcpProxy(`${settings.host}:${settings.port}`)
    const metrics = createMetrics()
    const { poolSize = 4, ...rest } = options
    const { host, port } = proxy
    const database = await connectMysql({ ...settings, host, port, poolSize }, { metrics, ...rest })
    return {
      proxy,
      metrics,
      db: database.db,
      async [Symbol.asyncDispose]() {
        await proxy.resume()
        await database[Symbol.asyncDispose]()
        await proxy[Symbol.asyncDispose]()
      },
    }
  }

  const unavailable = async (promise: Promise<unknown>) =>
    isSnsError(await promise.catch((error) => error), 'store_unavailable')
  const one = (db: Kysely<Database>) => sql<{ one: number }>`select 1 as one`.execute(db)

  test('says in one line what the operator must mend', async () => {
    const closed = await createTcpProxy('127.0.0.1:1')
    await closed.cut()
    for (const [changes, pattern] of [
      [{ host: closed.host, port: closed.port }, /cannot be reached \(ECONNREFUSED\); start it or/],
      [{ host: 'no-such-host.invalid' }, /no-such-host\.invalid:\d+ cannot be reached/],
      [{ password: 'wrong' }, /refuses the user or password of sns/],
      [{ database: 'no_such_database' }, /no database no_such_database|may not use the database/],
    ] as const) {
      const error = await connectMysql({ ...settings, ...changes }).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(OperatorError)
      expect(error.message).toStartWith('DATABASE_URL: ')
      expect(error.message).toMatch(pattern)
      expect(error.message).not.toContain('\n')
      expect(error.message).not.toContain(settings.password === 'sns' ? ':sns@' : settings.password)
    }
  })

  test('accepts this server', async () => {
    await checkServer(shared.db)
  })

  test('states what its sessions rely on', async () => {
    const { rows } = await sql`
      select @@session.transaction_isolation as isolation, @@session.sql_mode as mode,
        @@character_set_client as charset
    `.execute(shared.db)
    expect(rows).toEqual([
      {
        isolation: 'READ-COMMITTED',
        mode: 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
        charset: 'utf8mb4',
      },
    ])
  })

  test('reads integers exactly and refuses those it could only round', async () => {
    const exact = await sql<{ a: number; b: number; c: null; d: number }>`
      select 9007199254740991 as a, cast(-9007199254740991 as signed) as b,
        cast(null as signed) as c, sum(9007199254740991) as d
    `.execute(shared.db)
    expect(exact.rows).toEqual([
      { a: 2 ** 53 - 1, b: -(2 ** 53 - 1), c: null, d: 2 ** 53 - 1 },
    ] as never)
    const error = await sql`select 9007199254740992 as a`.execute(shared.db).catch((e) => e)
    expect(error.name).toBe('InexactIntegerError')
    for (let n = 0; n < 10; n++) expect((await one(shared.db)).rows).toEqual([{ one: 1 }])
  })

  test('answers store_unavailable while the server is away, and goes on when it is back', async () => {
    await using database = await openBehindProxy()
    await Promise.all(Array.from({ length: 4 }, () => one(database.db)))
    await database.proxy.cut()
    expect(await unavailable(one(database.db))).toBeTrue()
    expect(await unavailable(transact(database.db, one))).toBeTrue()
    expect((await database.metrics.storeErrors.get()).values[0]?.value).toBeGreaterThanOrEqual(2)
    await database.proxy.resume()
    await Promise.all(Array.from({ length: 20 }, () => one(database.db)))
    await transact(database.db, one)
  })

  test('does not let a transaction go on when its connection is lost', async () => {
    await using database = await openBehindProxy()
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
    expect(await unavailable(attempt)).toBeTrue()
    expect(attempts).toBe(1)
    expect(await shared.db.selectFrom('users').selectAll().execute()).toEqual([])
    await one(database.db)
  })

  /** Starts `work` on a connection that the server has closed, which the client is yet to learn. */
  async function onKilledConnection<T>(
    { db, proxy }: Awaited<ReturnType<typeof openBehindProxy>>,
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
    await using database = await openBehindProxy({ poolSize: 1 })
    const read = await onKilledConnection(database, () => one(database.db))
    expect(read.rows).toEqual([{ one: 1 }])
    expect((await database.metrics.storeRetries.get()).values[0]?.value).toBe(1)
    const inTransaction = await onKilledConnection(database, () => transact(database.db, one))
    expect(inTransaction.rows).toEqual([{ one: 1 }])
    expect((await database.metrics.storeRetries.get()).values[0]?.value).toBe(2)
  })

  test('does not repeat a write, nor a read that may lean on its session', async () => {
    await using database = await openBehindProxy({ poolSize: 1 })
    const { db } = database
    const write = onKilledConnection(database, () => db.deleteFrom('mutes').execute())
    expect(await unavailable(write)).toBeTrue()
    const read = db.connection().execute(async (connection) => {
      const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(connection)
      await sql`kill ${sql.lit(rows[0]?.id ?? 0)}`.execute(shared.db)
      await one(connection)
    })
    expect(await unavailable(read)).toBeTrue()
    expect((await database.metrics.storeRetries.get()).values).toEqual([])
    await one(db)
  })

  test('gives up on a server that hangs, and throws the connection away', async () => {
    await using database = await openBehindProxy({ poolSize: 1, queryTimeoutMs: 300 })
    await one(database.db)
    database.proxy.stall()
    expect(await unavailable(one(database.db))).toBeTrue()
    await database.proxy.resume()
    // An answer that came too late would now be taken for this one's.
    const { rows } = await sql<{ two: number }>`select 2 as two`.execute(database.db)
    expect(rows).toEqual([{ two: 2 }])
  })

  test('ends a select that the server itself is too slow with', async () => {
    await using database = await openBehindProxy({ queryTimeoutMs: 300 })
    expect(await unavailable(sql`select sleep(20)`.execute(database.db))).toBeTrue()
    await one(database.db)
  })

  test('does not cut off waiting for a lock by name', async () => {
    await using database = await openBehindProxy({ queryTimeoutMs: 200 })
    const name = `sns-test-${settings.database}`
    await shared.db.connection().execute(async (holder) => {
      await sql`select get_lock(${name}, 1)`.execute(holder)
      const waiting = sql<{ got: number }>`select get_lock(${name}, 30) as got`.execute(database.db)
      await sql`select sleep(0.5)`.execute(holder)
      await sql`select release_lock(${name})`.execute(holder)
      expect((await waiting).rows).toEqual([{ got: 1 }])
    })
  })

  test('bounds the wait for a free connection and counts who waits', async () => {
    await using database = await openBehindProxy({ poolSize: 1, acquireTimeoutMs: 200 })
    const done = Promise.withResolvers<void>()
    const held = database.db.connection().execute(async (connection) => {
      await one(connection)
      await done.promise
    })
    await one(shared.db)
    const waiting = one(database.db)
    const gauge = async (state: string) =>
      (await database.metrics.poolConnections.get()).values.find(
        (value) => value.labels.state === state,
      )?.value
    expect(await unavailable(waiting)).toBeTrue()
    expect(await gauge('busy')).toBe(1)
    done.resolve()
    await held
    await one(database.db)
    expect(await gauge('busy')).toBe(0)
    expect(await gauge('idle')).toBe(1)
    expect(await gauge('waiting')).toBe(0)
  })

  test('bounds how many wait', async () => {
    await using database = await openBehindProxy({ poolSize: 1, queueLimit: 2 })
    const results = await Promise.all(
      Array.from({ length: 10 }, () => unavailable(sql`select sleep(0.05)`.execute(database.db))),
    )
    expect(results.filter(Boolean)).toHaveLength(7)
  })

  test('runs a transaction again that lost a deadlock, and counts it', async () => {
    await using database = await openBehindProxy()
    const ids = [901, 902] as UserId[]
    await database.db
      .insertInto('accounts')
      .values(ids.map((user_id) => ({ user_id, password_hash: '', graph_version: 0 })))
      .execute()
    const bothHoldOne = meetingOf(2)
    const raise = (order: readonly UserId[]) => {
      let attempt = 0
      return transact(database.db, async (tx) => {
        attempt++
        for (const id of order) {
          await tx
            .updateTable('accounts')
            .set((eb) => ({ graph_version: eb('graph_version', '+', 1) }))
            .where('user_id', '=', id)
            .execute()
          if (attempt === 1 && id === order[0]) await bothHoldOne()
        }
      })
    }
    await Promise.all([raise(ids), raise([...ids].reverse())])
    const rows = await database.db.selectFrom('accounts').select('graph_version').execute()
    expect(rows).toEqual([{ graph_version: 2 }, { graph_version: 2 }])
    expect((await database.metrics.storeRetries.get()).values).toEqual([
      { labels: { store: 'mysql' }, value: 1 },
    ])
  })

  test('ends though the server does not answer', async () => {
    const database = await openBehindProxy()
    await one(database.db)
    database.proxy.stall()
    await database.db.destroy()
    await database.proxy[Symbol.asyncDispose]()
  })
})

/** A place where `count` callers wait for each other. */
function meetingOf(count: number): () => Promise<void> {
  const everyone = Promise.withResolvers<void>()
  let present = 0
  return () => {
    if (++present === count) everyone.resolve()
    return everyone.promise
  }
}
