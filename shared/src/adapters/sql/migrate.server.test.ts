import { describe } from 'bun:test'
import { migrationConformance } from '../../testing/migration-conformance'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  migrationConformance('mysql')
})
