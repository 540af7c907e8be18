import { describe, expect, test } from 'bun:test'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { recordedLog } from '@sns/shared/testing/recorded-log'
import { testServers } from '@sns/shared/testing/servers'
import { testMysqlSettings } from '@sns/shared/testing/sql-database'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import { createMysqlSession } from './session'

test.skipIf(!testServers.mysql)('the error of a refused statement holds no value', async () => {
  const value = 'what-somebody-wrote'
  await using session = createMysqlSession({ ...testMysqlSettings(), database: '' })
  const error = await session.query('select ? from', [value]).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ errno: 1064 })
  const log = recordedLog()
  log.logger.error({ err: error }, 'failed')
  expect(Bun.inspect(error, { depth: 20 })).not.toContain(value)
  expect(JSON.stringify(error)).not.toContain(value)
  expect(log.text()).not.toContain(value)
})

describe.skipIf(!testServers.mysql)('a session that is destroyed', () => {
  const settings = () => ({ ...testMysqlSettings(), database: '' })

  test('answers the statement in flight, and what waits behind it goes on a new connection', async () => {
    await using session = createMysqlSession(settings())
    const [first] = await session.query('select connection_id() as id')
    const slow = session.query('select sleep(60)', [], 60_000).catch((error: unknown) => error)
    const next = session.query('select connection_id() as id')
    await yieldToEventLoop()
    session.destroy()
    expect(isSnsError(await slow, 'store_unavailable')).toBe(true)
    const [second] = await next
    expect(second?.id).not.toBe(first?.id)
  })

  test('answers what waits for a connection to be made', async () => {
    await using proxy = await createTcpProxy(testServers.mysql ?? '')
    proxy.stall()
    await using session = createMysqlSession({ ...settings(), host: proxy.host, port: proxy.port })
    const waiting = session.query('select 1').catch((error: unknown) => error)
    await yieldToEventLoop()
    session.destroy()
    expect(isSnsError(await waiting, 'store_unavailable')).toBe(true)
    await proxy.resume()
    expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test.each([1053, 1180, 1290, 1792, 1836, 1874, 1927, 3032, 3100, 3101, 3169, 4031, 9001])(
    'takes %p for the end of its connection, not for the fault of a statement',
    async (errno) => {
      await using session = createMysqlSession(settings())
      const [first] = await session.query('select connection_id() as id')
      const signal = `signal sqlstate '45000' set mysql_errno = ${errno}, message_text = 'no'`
      const error = await session.query(signal).catch((thrown: unknown) => thrown)
      expect(isSnsError(error, 'store_unavailable')).toBe(true)
      const [second] = await session.query('select connection_id() as id')
      expect(second?.id).not.toBe(first?.id)
    },
  )
})

test.skipIf(!testServers.mysql)(
  'a session has settings of its own, whatever the server was given',
  async () => {
    await using session = createMysqlSession({ ...testMysqlSettings(), database: '' })
    const [row] = await session.query(
      `SELECT @@time_zone AS zone, @@sql_mode AS mode, @@transaction_isolation AS isolation,
         @@autocommit AS commits, @@sql_safe_updates AS safe`,
    )
    expect(row).toEqual({
      zone: '+00:00',
      mode: 'STRICT_TRANS_TABLES',
      isolation: 'REPEATABLE-READ',
      commits: 1,
      safe: 0,
    })
  },
)
