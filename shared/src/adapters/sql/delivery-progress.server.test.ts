import { describe, expect, test } from 'bun:test'
import { deliveryProgressConformance } from '../../testing/delivery-progress-conformance'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'

describe.skipIf(!testServers.mysql)('mysql', () => {
  deliveryProgressConformance(() => openTestStores('mysql'))

  test('knows how far capture is from its checkpoint, once it has run', async () => {
    await using stores = await openTestStores('mysql')
    const { database, deliveryProgress } = stores
    expect(await deliveryProgress.captured()).toBeNull()
    const checkpoint = { name: 'capture', gtid_set: '', file: '', pos: 4, server_id: '' }
    await database.db
      .insertInto('capture_checkpoint')
      .values({
        ...checkpoint,
        last_gtid: 'a:1',
        last_committed_at: 1_700_000_000_123_999,
        epoch: 0,
        fence: 0,
        updated_at: 0,
      })
      .execute()
    expect(await deliveryProgress.captured()).toBe(1_700_000_000_123)
  })
})
