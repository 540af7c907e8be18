import { expect, test } from 'bun:test'
import { createMemoryTimelineStore } from '@sns/shared/adapters/memory/timeline-store'
import type { PostId, UserId } from '@sns/shared/domain/id'
import { signUpAll } from '@sns/shared/testing/people'
import { openTestStores } from '@sns/shared/testing/sql-database'
import { rebuildWindow, verifyWindow } from './verify'

async function openWorld() {
  const stores = await openTestStores('sqlite')
  const timelines = createMemoryTimelineStore({ clock: stores.clock })
  const [ann, bob] = await signUpAll(stores.users, 'ann', 'bob')
  await stores.graph.follow(ann.id, bob.id)
  let next = 10
  const write = async (authorId: UserId) => {
    next += 1
    const id = next as PostId
    await stores.posts.create({ id, authorId, text: 'x', idempotencyKey: null })
    return id
  }
  const deps = { users: stores.users, posts: stores.posts, timelines, wait: async () => {} }
  return { stores, timelines, ann, bob, write, deps }
}

test('a window that holds its feed is equal, one that lacks a post is not', async () => {
  const { stores, timelines, ann, bob, write, deps } = await openWorld()
  await using _ = stores
  expect(await verifyWindow(deps, ann.id)).toEqual({ state: 'none' })
  await write(bob.id)
  expect(await rebuildWindow(deps, ann.id)).toBe(true)
  expect(await verifyWindow(deps, ann.id)).toEqual({ state: 'equal' })
  const lost = await write(bob.id)
  expect(await verifyWindow(deps, ann.id)).toEqual({ state: 'drift', missing: [lost] })
  // The push arrives before the window is read again.
  const wait = async () => void (await timelines.push(lost, [ann.id]))
  expect(await verifyWindow({ ...deps, wait }, ann.id)).toEqual({ state: 'equal' })
})

test('what reads leave out is no drift, nor a window that is rebuilt anyway', async () => {
  const { stores, ann, bob, write, deps } = await openWorld()
  await using _ = stores
  const post = await write(bob.id)
  await rebuildWindow(deps, ann.id)
  await stores.posts.delete(post, bob.id)
  expect(await verifyWindow(deps, ann.id)).toEqual({ state: 'equal' })
  await stores.graph.unfollow(ann.id, bob.id)
  expect(await verifyWindow(deps, ann.id)).toEqual({ state: 'none' })
})

test('a rebuild mends what was lost', async () => {
  const { stores, ann, bob, write, deps } = await openWorld()
  await using _ = stores
  await rebuildWindow(deps, ann.id)
  await write(bob.id)
  expect((await verifyWindow(deps, ann.id)).state).toBe('drift')
  await rebuildWindow(deps, ann.id)
  expect((await verifyWindow(deps, ann.id)).state).toBe('equal')
})
