import { describe } from 'bun:test'
import { postDeletionConformance } from '../../testing/post-deletion-conformance'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  postDeletionConformance('mysql')
})
