import { describe } from 'bun:test'
import { accountDeletionConformance } from '../../testing/account-deletion-conformance'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  accountDeletionConformance('mysql')
})
