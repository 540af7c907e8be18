import { describe, expect, test } from 'bun:test'
import { engagementStoreConformance } from '../../testing/engagement-store-conformance'
import { openSqlPostStores } from '../../testing/sql-post-stores'

describe('sqlite', () => {
  engagementStoreConformance(() => openSqlPostStores('sqlite'))

  test('counts a post from zero where no row counts it yet', async () => {
    await using harness = await openSqlPostStores('sqlite')
    const { id: author } = await harness.addUser()
    const post = { id: harness.ids.next<'post'>(), authorId: author, text: 'x' }
    const { body } = await harness.posts.create({ ...post, idempotencyKey: null })
    await harness.database.db.deleteFrom('post_counts').execute()
    const counts = async () => (await harness.posts.find(body.id, author)).counts
    expect(await counts()).toEqual({ likes: 0, comments: 0 })
    await harness.engagement.like(author, body.id)
    expect(await counts()).toEqual({ likes: 1, comments: 0 })
  })
})
