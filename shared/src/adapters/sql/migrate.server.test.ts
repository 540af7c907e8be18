import { describe } from 'bun:test'
import { testServers } from '../../testing/servers'
import { sqlMigrationSuite } from '../../testing/sql-migration-suite'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  sqlMigrationSuite('mysql')
})
