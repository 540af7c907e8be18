import { expect, test } from 'bun:test'
import type { Freshness } from '@sns/shared/ports/freshness'
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

test('timelines that posts are pushed past are not read', async () => {
  let isCurrent = true
  await using api = await openTestApi({
    wrap: (deps) => {
      const freshness: Freshness = { ...deps.freshness, hasCurrentTimelines: () => isCurrent }
      return { ...deps, freshness }
    },
  })
  const [ann, bob] = [await api.signUp('ann'), await api.signUp('bob')]
  await api.request('PUT', '/v1/users/bob/follow', { as: ann })
  const ids = async () =>
    (await api.request('GET', '/v1/feed', { as: ann })).body.items.map(
      ({ id }: { id: string }) => id,
    )
  expect(await ids()).toEqual([])
  isCurrent = false
  // Pushed to another server than the one whose window is read.
  const { body } = await api.request('POST', '/v1/posts', { as: bob, body: { text: 'x' } })
  expect(await ids()).toEqual([body.id])
})
