import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import type { MysqlSettings } from '../../config/program-settings'
import type { UserId } from '../../domain/id'
import { OperatorError } from '../../errors/operator-error'
import { counted } from '../../testing/counted'
import { isUnavailable, openMysqlBehindProxy, selectOne } from '../../testing/mysql-behind-proxy'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase, testMysqlSettings } from '../../testing/sql-database'
import { createTcpProxy } from '../../testing/tcp-proxy'
import { transact } from '../sql/database'
import { connectMysql } from './database'

describe.skipIf(!testServers.mysql)('connectMysql', () => {
  let shared: TestDatabase
  let settings: MysqlSettings

  beforeAll(async () => {
    shared = await openTestDatabase('mysql')
    settings = { ...testMysqlSettings(), database: new URL(shared.url).pathname.slice(1) }
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  test('says in one line what the operator must fix', async () => {
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
    for (let n = 0; n < 10; n++) expect((await selectOne(shared.db)).rows).toEqual([{ one: 1 }])
  })

  test('does not cut off waiting for a lock by name', async () => {
    await using database = await openMysqlBehindProxy(settings, { queryTimeoutMs: 200 })
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
    await using database = await openMysqlBehindProxy(settings, {
      poolSize: 1,
      acquireTimeoutMs: 200,
    })
    const done = Promise.withResolvers<void>()
    const held = database.db.connection().execute(async (connection) => {
      await selectOne(connection)
      await done.promise
    })
    await selectOne(shared.db)
    const waiting = selectOne(database.db)
    const gauge = async (state: string) =>
      (await database.metrics.poolConnections.get()).values.find(
        (value) => value.labels.state === state,
      )?.value
    expect(await isUnavailable(waiting)).toBeTrue()
    expect(await gauge('busy')).toBe(1)
    done.resolve()
    await held
    await selectOne(database.db)
    expect(await gauge('busy')).toBe(0)
    expect(await gauge('idle')).toBe(1)
    expect(await gauge('waiting')).toBe(0)
  })

  test('bounds how many wait', async () => {
    await using database = await openMysqlBehindProxy(settings, { poolSize: 1, queueLimit: 2 })
    const results = await Promise.all(
      Array.from({ length: 10 }, () => isUnavailable(sql`select sleep(0.05)`.execute(database.db))),
    )
    expect(results.filter(Boolean)).toHaveLength(7)
  })

  test('runs a transaction again that lost a deadlock, and counts it', async () => {
    await using database = await openMysqlBehindProxy(settings)
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
    expect(await counted(database.metrics.storeRetries)).toBe(1)
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
