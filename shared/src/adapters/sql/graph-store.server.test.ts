import { describe, test } from 'bun:test'
import type { PostId } from '../../domain/id'
import { graphListConformance } from '../../testing/graph-list-conformance'
import { graphStoreConformance } from '../../testing/graph-store-conformance'
import { signUpAll } from '../../testing/people'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'
import { holdAccounts } from './locks'

describe.skipIf(!testServers.mysql)('on MySQL', () => {
  graphStoreConformance(() => openTestStores('mysql'))
  graphListConformance(() => openTestStores('mysql'))

  test('follows of one account, and its own posts, do not wait for each other', async () => {
    await using stores = await openTestStores('mysql')
    const [star, ann, bob] = await signUpAll(stores.users, 'star', 'ann', 'bob')
    // As another follow holds it while its transaction is open.
    await stores.database.db.transaction().execute(async (tx) => {
      await holdAccounts(tx, [star.id])
      await stores.graph.follow(ann.id, star.id)
      await stores.graph.mute(bob.id, star.id)
      const id = 4_096 as PostId
      await stores.posts.create({ id, authorId: star.id, text: 'x', idempotencyKey: null })
    })
  })
})
