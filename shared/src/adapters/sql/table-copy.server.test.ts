import { describe } from 'bun:test'
import { testServers } from '../../testing/servers'
import { tableCopyConformance } from '../../testing/table-copy-conformance'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  tableCopyConformance('mysql')
})
