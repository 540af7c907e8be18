import { expect, test } from 'bun:test'
import { recordedLog } from '@sns/shared/testing/recorded-log'
import { testServers } from '@sns/shared/testing/servers'
import { testMysqlSettings } from '@sns/shared/testing/sql-database'
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
