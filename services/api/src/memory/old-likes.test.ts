import { expect, test } from 'bun:test'
import { openTestApi } from '../testing/test-api'

/** More than are kept of a viewer. */
const LIKED = 1_050

test('a post below the newest thousand that one likes is shown as liked, on every page', async () => {
  await using api = await openTestApi()
  const [ann, bob] = [await api.signUp('ann'), await api.signUp('bob')]
  await api.request('PUT', '/v1/users/bob/follow', { as: ann })
  const first = api.deps.ids.next<'post'>()
  const ids = Array.from({ length: LIKED }, (_, at) => first + at)
  for (let at = 0; at < LIKED; at += 50) {
    const some = ids.slice(at, at + 50)
    await api.db
      .insertInto('posts')
      .values(
        some.map((id) => ({
          id,
          author_id: bob.id,
          text: 'word #tag',
          version: 1,
          created_at: 0,
          edited_at: null,
          updated_at: 0,
        })) as never,
      )
      .execute()
    await api.db
      .insertInto('likes')
      .values(some.map((id) => ({ user_id: ann.id, post_id: id, created_at: 0 })) as never)
      .execute()
    await api.deps.tags.set(some.map((post) => ({ post: post as never, tags: ['tag'] })))
  }
  await api.settle()
  for (const path of [
    '/v1/feed',
    '/v1/me/likes',
    '/v1/tags/tag/posts',
    '/v1/search/posts?q=word',
  ]) {
    const seen = new Map<string, boolean>()
    let cursor: string | null = null
    do {
      const query: string = `limit=100${cursor === null ? '' : `&cursor=${cursor}`}`
      const { status, body } = await api.request(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}${query}`,
        { as: ann },
      )
      expect(status).toBe(200)
      for (const { id, viewer } of body.items) seen.set(id, viewer.liked)
      cursor = body.nextCursor
    } while (cursor !== null)
    expect([path, seen.size, [...seen].filter(([, liked]) => !liked)]).toEqual([path, LIKED, []])
  }
})
