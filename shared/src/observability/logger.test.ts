import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { SnsError, storeUnavailable } from '../errors/sns-error'
import { recordedLog } from '../testing/recorded-log'

const VALUE = 'what-somebody-wrote'

/** The one line that logging this error writes. */
function lineOf(error: unknown): string {
  const log = recordedLog()
  log.logger.error({ err: error }, 'failed')
  return log.text()
}

/** As mysql2 makes it where nobody translated it. */
const driverError = () =>
  Object.assign(new Error(`Duplicate entry '${VALUE}' for key 'users.users_username'`), {
    code: 'ER_DUP_ENTRY',
    errno: 1062,
    sqlState: '23000',
    sqlMessage: `Duplicate entry '${VALUE}' for key 'users.users_username'`,
    sql: `insert into users (username) values ('${VALUE}')`,
    parameters: [VALUE],
  })

/** As ioredis makes it. */
const replyError = () =>
  Object.assign(new Error(`ERR unknown command 'GETT', with args beginning with: '${VALUE}'`), {
    name: 'ReplyError',
    command: { name: 'gett', args: [VALUE] },
    previousErrors: [{ message: VALUE }],
  })

/** As Elasticsearch's client makes it. */
const responseError = () =>
  Object.assign(new Error(`mapper_parsing_exception: Preview of field's value: '${VALUE}'`), {
    name: 'ResponseError',
    meta: { statusCode: 400, body: { reason: VALUE }, meta: { request: { params: VALUE } } },
  })

function sqliteError(): unknown {
  using database = new Database(':memory:')
  database.run('create table users (username text unique)')
  const insert = database.prepare('insert into users values (?)')
  insert.run(VALUE)
  try {
    insert.run(VALUE)
  } catch (error) {
    return error
  }
}

describe('createLogger', () => {
  test.each([
    ['MySQL', driverError, 'ER_DUP_ENTRY'],
    ['Redis', replyError, 'ERR unknown command'],
    ['Elasticsearch', responseError, 'mapper_parsing_exception'],
    ['SQLite', sqliteError, 'UNIQUE constraint failed: users.username'],
  ])('writes what an error of %s says and no value', (_, make, told) => {
    const nested = [
      make(),
      new Error('outer', { cause: storeUnavailable('mysql', make()) }),
      new AggregateError([make(), new Error('inner', { cause: make() })]),
      new SnsError('internal', { cause: Object.assign(new Error('x'), { inner: make() }) }),
    ]
    for (const error of nested) expect(lineOf(error)).not.toContain(VALUE)
    for (const error of nested.slice(0, 3)) expect(lineOf(error)).toContain(told)
  })

  test('writes no value where an error is logged under another usual name, or as the line itself', () => {
    const log = recordedLog()
    log.logger.error({ error: driverError() }, 'failed')
    log.logger.error(driverError())
    expect(log.text()).not.toContain(VALUE)
    expect(log.text().match(/ER_DUP_ENTRY/g)).toHaveLength(2)
  })

  test('writes type, message, stack and codes of an error and of what caused it', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'ECONNRESET', extra: VALUE })
    const { err } = JSON.parse(lineOf(new Error('outer', { cause })))
    expect(err).toMatchObject({
      type: 'Error',
      message: 'outer',
      stack: expect.stringContaining('logger.test.ts'),
      cause: { type: 'TypeError', message: 'inner', code: 'ECONNRESET' },
    })
  })

  test('comes to an end with an error that causes itself', () => {
    const error = new Error('again')
    error.cause = error
    expect(lineOf(error)).toContain('again')
  })

  test('writes what is no error as it is', () => {
    expect(JSON.parse(lineOf('text')).err).toBe('text')
    expect(JSON.parse(lineOf(null)).err).toBeNull()
  })
})
