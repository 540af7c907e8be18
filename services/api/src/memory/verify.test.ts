import { describe, expect, test } from 'bun:test'
import type { MemoryReport } from '@sns/shared/runtime/status-app'
import { openReplicas } from '../testing/replicas'
import { type MemoryVerifyDeps, verifyMemory } from './verify'

const ALL = Number.POSITIVE_INFINITY

async function collect(reports: AsyncGenerator<MemoryReport>) {
  const differing: string[] = []
  let last: MemoryReport | null = null
  for await (const report of reports) {
    differing.push(...report.differing)
    last = report
  }
  return { checked: last?.checked, of: last?.of, isBelieved: last?.isBelieved, differing }
}

/** One process that has read a feed with a merged author in it, and so keeps something of every kind. */
async function openWorld() {
  const api = await openReplicas(1, { cap: 8 })
  const ann = await api.signUp('ann')
  const bob = await api.signUp('bob')
  await api.request(0, 'PUT', '/v1/users/bob/follow', { token: ann.token })
  const { body } = await api.request(0, 'POST', '/v1/posts', {
    token: bob.token,
    body: { text: 'hello' },
  })
  const { lanes } = api.stores
  await lanes.finish(bob.id, await lanes.begin(bob.id), 'pull')
  await api.channel.freshness(0).announce([{ kind: 'lanes' }])
  for (let n = 0; n < 2; n += 1) await api.request(0, 'GET', '/v1/feed', { token: ann.token })
  return {
    api,
    ann,
    bob,
    post: Number(body.id),
    verify: () => collect(api.memories[0]!.verify(ALL)),
  }
}

describe('what a process keeps', () => {
  test('is the same as in the database, each kind of it', async () => {
    const { api, verify } = await openWorld()
    await using _ = api
    const { checked, of, differing } = await verify()
    expect(differing).toEqual([])
    expect(checked).toBe(of)
    // A post, two viewers, whom the one who reads follows and what they like, the list of merged authors and the posts
    // of one.
    expect(of).toBe(7)
  })

  test('is named where a hand in the database changed it and nobody was told', async () => {
    const { api, ann, bob, post, verify } = await openWorld()
    await using _ = api
    const { db } = api
    await db
      .updateTable('posts')
      .set({ text: 'other' })
      .where('id', '=', post as never)
      .execute()
    expect((await verify()).differing).toEqual([`post ${post}`])
    await db
      .updateTable('posts')
      .set({ text: 'hello' })
      .where('id', '=', post as never)
      .execute()
    await db.deleteFrom('follows').where('follower_id', '=', ann.id).execute()
    expect((await verify()).differing).toEqual([`feed authors ${ann.id}`])
    await db.updateTable('users').set({ display_name: 'Bobby' }).where('id', '=', bob.id).execute()
    const all = [`post ${post}`, `viewer ${bob.id}`, `feed authors ${ann.id}`]
    expect((await verify()).differing).toEqual(all)
    const like = { user_id: ann.id, post_id: Number(post), created_at: 0 }
    await db
      .insertInto('likes')
      .values(like as never)
      .execute()
    expect((await verify()).differing).toEqual([...all, `reactions ${ann.id}`])
  })

  test('is named where a merged author or a post of theirs is lacking', async () => {
    const { api, ann, bob, verify } = await openWorld()
    await using _ = api
    await api.stores.posts.create({
      id: api.ids.next(),
      authorId: bob.id,
      text: 'unheard',
      idempotencyKey: null,
    })
    expect((await verify()).differing).toEqual([`posts of author ${bob.id}`])
    // On the way: fan-out pushes the posts too, so nobody misses one.
    const crossing = await api.stores.lanes.begin(ann.id)
    expect((await verify()).differing).not.toContain('list of merged authors 0')
    await api.stores.lanes.finish(ann.id, crossing, 'pull')
    expect((await verify()).differing).toContain('list of merged authors 0')
  })

  test('is right where the change is told while it is being looked at', async () => {
    const { api, post } = await openWorld()
    await using _ = api
    const { db, channel } = api
    await db
      .updateTable('posts')
      .set({ text: 'other' })
      .where('id', '=', post as never)
      .execute()
    const reports = api.memories[0]!.verify(ALL)
    await reports.next()
    setTimeout(() => channel.relay([{ kind: 'post', post: post as never }]), 1)
    expect((await collect(reports)).differing).toEqual([])
  })

  test('is not compared while nothing is believed: cut off, or while another is', async () => {
    await using api = await openReplicas(2, { cap: 8 })
    const ann = await api.signUp('ann')
    const states = () =>
      Promise.all(
        api.memories.map(async (memory) => (await collect(memory.verify(ALL))).isBelieved),
      )
    expect(await states()).toEqual([true, true])
    api.channel.cut(1)
    expect(await states()).toEqual([true, false])
    // Cut off, it cannot announce, and closes the fence for all.
    const body = { displayName: 'A' }
    await api.request(1, 'PATCH', '/v1/me', { token: ann.token, body })
    expect(await states()).toEqual([false, false])
    api.channel.connect(1)
    expect(await states()).toEqual([true, true])
  })
})

test('a sample is as large as asked, of distinct entries', async () => {
  const asked: number[] = []
  const keys = Array.from({ length: 250 }, (_, n) => n + 1)
  const deps: MemoryVerifyDeps = {
    kinds: [
      {
        name: 'thing',
        keys: () => keys,
        entries: (some) => new Map(some.map((key) => [key, keys])),
        async differing(entries) {
          asked.push(...entries.keys())
          return []
        },
      },
    ],
    freshness: { barrier: async () => {}, belief: () => ({ belief: true }) },
    wait: async () => {},
  }
  expect(await collect(verifyMemory(deps, 120))).toMatchObject({ checked: 120, of: 120 })
  expect(new Set(asked).size).toBe(120)
  asked.length = 0
  expect(await collect(verifyMemory(deps, ALL))).toMatchObject({ checked: 250, of: 250 })
  expect(asked).toEqual(keys)
})
