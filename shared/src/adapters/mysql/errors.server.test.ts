import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import type { UserId } from '../../domain/id'
import { isSnsError } from '../../errors/sns-error'
import { recordedLog } from '../../testing/recorded-log'
import { testServers } from '../../testing/servers'
import { openTestDatabase, type TestDatabase } from '../../testing/sql-database'
import { detailsOf, mysqlDuplicateIndex } from './errors'

const VALUE = 'what-somebody-wrote'
const row = { id: 7 as UserId, username: VALUE, display_name: VALUE, created_at: 1, updated_at: 1 }

describe.skipIf(!testServers.mysql)('errors of a real MySQL', () => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await openTestDatabase('mysql')
    await database.db.insertInto('users').values(row).execute()
  })
  afterAll(() => database[Symbol.asyncDispose]())

  /** No part of it holds the value: neither what an inspector shows nor what the log writes. */
  function expectNoValue(error: unknown) {
    const log = recordedLog()
    log.logger.error({ err: error }, 'failed')
    expect(Bun.inspect(error, { depth: 20 })).not.toContain(VALUE)
    expect(JSON.stringify(error)).not.toContain(VALUE)
    expect(log.text()).not.toContain(VALUE)
  }

  const errorOf = (statement: Promise<unknown>) =>
    statement.then(
      () => expect.unreachable(),
      (error: unknown) => error,
    )

  test('name the index of a duplicate and not its value', async () => {
    const error = await errorOf(
      database.db
        .insertInto('users')
        .values({ ...row, id: 8 as UserId })
        .execute(),
    )
    expect(mysqlDuplicateIndex(error)).toBe('users_username')
    expectNoValue(error)
  })

  test.each([
    ['a mistake in a statement', sql`select ${VALUE} from`, 1064],
    ['a value that does not fit', sql`update users set id = ${VALUE}`, 1366],
    ['a quote in a value', sql`select ${`it's ${VALUE} isn't`} frm users`, 1064],
  ])('do not quote values: %s', async (_, statement, errno) => {
    const error = await errorOf(statement.execute(database.db))
    expect(detailsOf(error)?.errno).toBe(errno)
    expectNoValue(error)
  })

  test('say which column there is not', async () => {
    const statement = sql`select nothing from users where username = ${VALUE}`
    const error = await errorOf(statement.execute(database.db))
    expect(String(error)).toContain("Unknown column 'nothing'")
    expectNoValue(error)
  })

  test('hold no value as the cause of store_unavailable', async () => {
    const refusal = sql`signal sqlstate 'HY000' set mysql_errno = 1290, message_text = 'no', constraint_name = ${VALUE}`
    const error = await errorOf(refusal.execute(database.db))
    expect(isSnsError(error, 'store_unavailable')).toBeTrue()
    expectNoValue(error)
  })
})
