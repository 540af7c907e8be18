import { describe } from 'bun:test'
import { freshnessFenceConformance } from '../../testing/freshness-fence-conformance'
import { testServers } from '../../testing/servers'
import { openTestDatabase } from '../../testing/sql-database'
import { createSqlFreshnessFence } from './freshness-fence'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  freshnessFenceConformance('SqlFreshnessFence', async () => {
    const database = await openTestDatabase('mysql')
    return {
      fence: createSqlFreshnessFence(database.db),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  })
})
