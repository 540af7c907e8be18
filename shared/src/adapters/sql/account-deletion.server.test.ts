import { describe } from 'bun:test'
import { accountDeletionSuite } from '../../testing/account-deletion-suite'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  accountDeletionSuite('mysql')
})
