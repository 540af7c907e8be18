import { expect, test } from 'bun:test'
import type { PostId } from '@sns/shared/domain/id'
import type { Belief } from '@sns/shared/ports/freshness'
import { openReplicas } from '../testing/replicas'
import { openTestApi } from '../testing/test-api'

test('a session that ended on one process is refused by another at its next request', async () => {
  await using api = await openReplicas(2, { cap: 5 })
  const { token } = await api.signUp('minji')
  const me = (at: number) => api.request(at, 'GET', '/v1/me', { token })
  expect([(await me(0)).status, (await me(1)).status]).toEqual([200, 200])
  const { body } = await api.request(0, 'GET', '/v1/me/sessions', { token })
  const path = `/v1/me/sessions/${body.items[0].id}`
  expect((await api.request(0, 'DELETE', path, { token })).status).toBe(204)
  expect([(await me(0)).status, (await me(1)).status]).toEqual([401, 401])
})

test('an id that comes twice shows the later post, by its author, on every process', async () => {
  await using api = await openReplicas(2, { cap: 5 })
  const [ann, bob] = [await api.signUp('ann_twice'), await api.signUp('bob_twice')]
  for (const [from, to] of [[ann, bob] as const, [bob, ann] as const]) {
    const { token } = from
    await api.request(0, 'PUT', `/v1/users/${to.username}/follow`, { token })
  }
  const write = (at: number, token: string, text: string) =>
    api.request(at, 'POST', '/v1/posts', { token, body: { text } })
  const seen = async (at: number) =>
    (await api.request(at, 'GET', '/v1/feed', { token: ann.token })).body.items.map(
      ({ text, author }: { text: string; author: { username: string } }) => [text, author.username],
    )
  const { body } = await write(0, ann.token, 'mine, deleted')
  await api.fanOut()
  expect([await seen(0), await seen(1)]).toEqual(
    Array(2).fill([['mine, deleted', ann.username]]) as string[][][],
  )
  await api.request(0, 'DELETE', `/v1/posts/${body.id}`, { token: ann.token })
  expect([await seen(0), await seen(1)]).toEqual([[], []])
  // The clock stepped back: the same id is made again.
  api.reuse(Number(body.id) as PostId)
  expect((await write(1, bob.token, 'theirs')).body.id).toBe(body.id)
  await api.fanOut()
  expect([await seen(0), await seen(1)]).toEqual(
    Array(2).fill([['theirs', bob.username]]) as string[][][],
  )
})

test.each(['ends', 'changes'])(
  'a timeline during whose read the belief %s is not used: posts may be pushed elsewhere',
  async (how) => {
    let during = () => {}
    let belief: Belief | null = { belief: true }
    await using api = await openTestApi({
      wrap: (deps) => ({
        ...deps,
        freshness: { ...deps.freshness, belief: () => belief },
        timelines: {
          ...deps.timelines,
          async read(...args) {
            const slice = await deps.timelines.read(...args)
            during()
            return slice
          },
        },
      }),
    })
    const [ann, bob] = [await api.signUp('ann'), await api.signUp('bob')]
    await api.request('PUT', '/v1/users/bob/follow', { as: ann })
    const ids = async () =>
      (await api.request('GET', '/v1/feed', { as: ann })).body.items.map(
        ({ id }: { id: string }) => id,
      )
    expect(await ids()).toEqual([])
    // Pushed to another server than the one whose window is read.
    const { body } = await api.request('POST', '/v1/posts', { as: bob, body: { text: 'x' } })
    expect(await ids()).toEqual([])
    during = () => {
      belief = how === 'ends' ? null : { belief: true }
    }
    expect(await ids()).toEqual([body.id])
  },
)

test('a window is checked by SQL where belief ends between its read and its use', async () => {
  let beliefsLeft = Number.POSITIVE_INFINITY
  await using api = await openTestApi({
    wrap: (deps) => {
      const belief = () => (beliefsLeft-- > 0 ? deps.freshness.belief() : null)
      return { ...deps, freshness: { ...deps.freshness, belief } }
    },
  })
  const [ann, bob] = [await api.signUp('ann'), await api.signUp('bob')]
  const ids = async () =>
    (await api.request('GET', '/v1/feed', { as: ann })).body.items.map(
      ({ id }: { id: string }) => id,
    )
  expect(await ids()).toEqual([])
  const { body } = await api.request('POST', '/v1/posts', { as: bob, body: { text: 'x' } })
  // Nobody follows the author: such a push came after an unfollow.
  await api.deps.timelines.push(Number(body.id) as PostId, [ann.id])
  beliefsLeft = 2
  expect(await ids()).toEqual([])
})

test('an author who leaves the merged ones while the account is looked up is merged in that page', async () => {
  let during = async () => {}
  await using api = await openTestApi({
    wrap: (deps) => ({
      ...deps,
      sessions: {
        ...deps.sessions,
        async findViewer(...args) {
          const viewer = await deps.sessions.findViewer(...args)
          await during()
          return viewer
        },
      },
    }),
  })
  const [ann, bob, eve] = [
    await api.signUp('ann'),
    await api.signUp('bob'),
    await api.signUp('eve'),
  ]
  const { lanes, users, freshness } = api.deps
  const move = async (lane: 'push' | 'pull') => {
    await lanes.finish(bob.id, await lanes.begin(bob.id), lane)
    await freshness.announce([{ kind: 'lanes' }])
  }
  const feedOf = async (reader: typeof ann) =>
    (await api.request('GET', '/v1/feed', { as: reader })).body.items.map(
      ({ id }: { id: string }) => id,
    )
  await api.request('PUT', '/v1/users/bob/follow', { as: ann })
  await move('pull')
  expect(await feedOf(ann)).toEqual([])
  // Not pushed: whoever reads merges it.
  const { body } = await api.request('POST', '/v1/posts', { as: bob, body: { text: 'x' } })
  expect(await feedOf(ann)).toEqual([body.id])
  await freshness.announce([{ kind: 'viewer', user: ann.id }])
  let isMoved = false
  during = async () => {
    if (isMoved) return
    isMoved = true
    // Windows of before are stale from here on, and the account that was read is the one of before.
    await users.touchGraph([ann.id])
    await freshness.announce([{ kind: 'viewer', user: ann.id }])
    await move('push')
    // Somebody else learns who is merged now.
    await feedOf(eve)
  }
  expect(await feedOf(ann)).toEqual([body.id])
  expect(isMoved).toBe(true)
  expect(await feedOf(ann)).toEqual([body.id])
})
