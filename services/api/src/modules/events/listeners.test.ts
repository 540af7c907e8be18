import { describe, expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import type { PostId, SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { Belief } from '@sns/shared/ports/freshness'
import { compareKeys, type Notification } from '@sns/shared/ports/notification-store'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { readEventId } from '../../http/cursors'
import type { FeedNews } from '../feed/feed'
import { createListeners, type Place } from './listeners'

const [me, ann, bob] = [1, 2, 3] as [UserId, UserId, UserId]
const NOW: Place = { post: null, notification: null }

function grantOf(userId: UserId): Grant {
  return { userId, sessionId: userId as number as SessionId, epoch: 0 }
}

interface Heard {
  readonly name: string
  readonly id: string
  readonly data: unknown
}

/** Reads a stream in the background. */
function read(body: ReadableStream<Uint8Array>) {
  const heard: Heard[] = []
  const state = { text: '', isClosed: false }
  const reader = body.getReader()
  const done = (async () => {
    const decoder = new TextDecoder()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      state.text += decoder.decode(value)
      for (const [, name = '', id = '', data = ''] of state.text.matchAll(
        /event: (\w+)\nid: (\S+)\ndata: (.+)\n\n/g,
      )) {
        if (!heard.some((each) => each.id === id && each.name === name))
          heard.push({ name, id, data: JSON.parse(data) })
      }
    }
    state.isClosed = true
  })()
  return { heard, state, done, cancel: () => reader.cancel() }
}

function notification(at: number, actor = ann): Notification {
  return {
    key: { noticedAt: at, kind: 1, actor, subject: 9 },
    kind: 'like',
    actor: { id: actor, username: 'ann', displayName: 'Ann' },
    postId: 9 as PostId,
    commentId: null,
    text: 'post',
    at: at - 1,
    isRead: false,
  }
}

function openWorld({ max = 100, maxByAddress = 100, maxBytes = 2 ** 20 } = {}) {
  const clock = createManualClock()
  const metrics = createMetrics()
  const leaving = new AbortController()
  const memory = createMemoryFreshness()
  let belief: Belief | null = memory.belief()
  /** Newest first, of whoever asks. */
  const notifications: Notification[] = []
  let news: FeedNews = { count: 0, newest: null, authors: new Set([me, ann]) }
  const newsOf = new Map<UserId, Partial<FeedNews>>()
  const failures = { posts: null as Error | null, notifications: null as Error | null }
  /** What reads wait for before they answer. */
  const gate = { posts: Promise.resolve(), notifications: Promise.resolve() }
  let looks = 0
  let tick: (() => void) | null = null
  const listeners = createListeners(
    {
      feed: {
        async news({ userId }) {
          looks += 1
          if (failures.posts) throw failures.posts
          const answer = { ...news, ...newsOf.get(userId) }
          await gate.posts
          return answer
        },
      },
      notifications: {
        async list(_, { after, limit }) {
          await gate.notifications
          if (failures.notifications) throw failures.notifications
          const some = notifications.filter(
            ({ key }) => after === undefined || compareKeys(key, after) > 0,
          )
          const next = some.length > limit ? some[limit - 1]!.key : null
          return { items: some.slice(0, limit), next }
        },
      },
      freshness: { ...memory, belief: () => belief },
      clock,
      logger: createLogger('test', 'silent'),
      metrics,
      leaving: leaving.signal,
    },
    {
      max,
      maxByAddress,
      maxBytes,
      ticker(given) {
        tick = given
        return () => {
          tick = null
        }
      },
    },
  )
  const world = {
    listeners,
    clock,
    leaving,
    notifications,
    failures,
    gate,
    newsOf,
    hint: memory.hint,
    announce: memory.announce,
    set news(next: Partial<FeedNews>) {
      news = { ...news, ...next }
    },
    set belief(next: Belief | null) {
      belief = next
    },
    get looks() {
      return looks
    },
    get isTicking() {
      return tick !== null
    },
    /** Lets time pass, and whatever that starts come to its end. */
    async tick(times = 1) {
      for (let at = 0; at < times; at += 1) {
        tick?.()
        // A look is a few promises; looks follow one another.
        for (let turn = 0; turn < 5; turn += 1) await yieldToEventLoop()
        let before = -1
        while (before !== looks) {
          before = looks
          for (let turn = 0; turn < 5; turn += 1) await yieldToEventLoop()
        }
      }
    },
    open: (user = me, { place = NOW, address = 'here', signal = NEVER } = {}) =>
      listeners.listen({ grant: grantOf(user), address, signal }, place),
    listen: async (user = me, options = {}) => read(await world.open(user, options)),
    /** After the look at whoever has just come. */
    settled: () => world.tick(2),
    streams: async () => (await metrics.eventStreams.get()).values[0]?.value ?? 0,
    sent: async () =>
      (await metrics.eventsSent.get()).values.reduce((sum, { value }) => sum + value, 0),
    bytes: async () => (await metrics.eventMemory.get()).values[0]?.value ?? 0,
  }
  return world
}

const NEVER = new AbortController().signal

const later = (post: number) => (2 ** 52 + post) as number as PostId

describe('whoever listens', () => {
  test('is told how many posts of people followed are new, once for many hints', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    world.news = { count: 3, newest: later(3) }
    for (let at = 0; at < 50; at += 1) await world.hint([{ kind: 'delivered', author: ann }])
    await world.settled()
    expect(client.heard.map(({ name, data }) => [name, data])).toEqual([['posts', { count: 3 }]])
    expect(readEventId(client.heard[0]!.id)?.post).toBe(later(3))
    expect(client.state.text).toMatch(/^retry: 3000\nid: \S+\n\n/)
    // The same post again is nothing new.
    await world.hint([{ kind: 'delivered', author: ann }])
    await world.settled()
    expect(client.heard).toHaveLength(1)
    await client.cancel()
    expect(world.isTicking).toBeFalse()
  })

  test('is not looked at for posts of others, nor for their own', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    const before = world.looks
    await world.hint([
      { kind: 'delivered', author: bob },
      { kind: 'delivered', author: me },
    ])
    await world.settled()
    expect(world.looks).toBe(before)
    // After a follow it is not known whose posts concern them, until the next look.
    world.news = { authors: new Set([me, ann, bob]) }
    await world.announce([{ kind: 'viewer', user: me }])
    await world.settled()
    world.news = { count: 1, newest: later(1) }
    await world.hint([{ kind: 'delivered', author: bob }])
    await world.tick()
    expect(client.heard).toHaveLength(1)
    // And after an unfollow no more.
    world.news = { authors: new Set([me, ann]) }
    await world.announce([{ kind: 'viewer', user: me }])
    await world.settled()
    const looks = world.looks
    await world.hint([{ kind: 'delivered', author: bob }])
    await world.tick()
    expect(world.looks).toBe(looks)
    await client.cancel()
  })

  test('hears of a post that was delivered while it was found out whose posts concern them', async () => {
    const world = openWorld()
    const client = await world.listen()
    const answer = Promise.withResolvers<void>()
    world.gate.posts = answer.promise
    // The look reads the posts before the delivery and ends after the tick that follows it.
    await world.tick()
    world.news = { count: 1, newest: later(1) }
    await world.hint([{ kind: 'delivered', author: ann }])
    await world.tick()
    answer.resolve()
    await world.tick(2)
    expect(client.heard.map(({ name }) => name)).toEqual(['posts'])
    await client.cancel()
  })

  test('costs a hint nothing where the author does not concern them', async () => {
    const world = openWorld({ max: 2_000, maxByAddress: 2_000, maxBytes: 2 ** 26 })
    let asked = 0
    class CountingSet extends Set<UserId> {
      override has(id: UserId): boolean {
        asked += 1
        return super.has(id)
      }
    }
    const streams: ReadableStream[] = []
    for (let at = 0; at < 1_000; at += 1) {
      const user = (10_000 + at) as UserId
      const authors = Array.from({ length: 20 }, (_, n) => (20_000 + at * 20 + n) as UserId)
      world.newsOf.set(user, { authors: new CountingSet([user, ...authors]) })
      streams.push(await world.open(user))
    }
    await world.settled()
    const { looks } = world
    asked = 0
    // 500 authors whom nobody follows, and three who are followed by one each.
    const authors = Array.from({ length: 500 }, (_, at) => (90_000 + at) as UserId)
    for (const author of [20_001, 20_002, 20_025] as UserId[]) authors.push(author)
    await world.hint(authors.map((author) => ({ kind: 'delivered', author }) as const))
    expect(asked).toBe(0)
    await world.tick()
    // Two of the three are followed by one and the same reader.
    expect(world.looks).toBe(looks + 2)
    // What is asked of a set is asked after its reader's look, to see whether it is the same.
    expect(asked).toBeLessThanOrEqual(2 * 21)
    await Promise.all(streams.map((each) => each.cancel()))
    expect(await world.bytes()).toBe(0)
  })

  test('takes no more memory than there is: whoever comes later hears of posts a little later', async () => {
    const maxBytes = 100_000
    const world = openWorld({ maxBytes })
    const fans = Array.from({ length: 60 }, (_, at) => (10_000 + at) as UserId)
    for (const [at, fan] of fans.entries()) {
      const authors = Array.from({ length: 100 }, (_, n) => (20_000 + at * 100 + n) as UserId)
      world.newsOf.set(fan, { authors: new Set([ann, ...authors]) })
    }
    const clients = []
    for (const fan of fans) clients.push(await world.listen(fan))
    await world.settled()
    expect(await world.bytes()).toBeWithin(maxBytes / 2, maxBytes + 1)
    for (const fan of fans) world.newsOf.set(fan, { count: 1, newest: later(1) })
    await world.hint([{ kind: 'delivered', author: ann }])
    await world.tick()
    const soon = clients.filter(({ heard }) => heard.length > 0).length
    expect(soon).toBeWithin(1, fans.length)
    world.clock.advance(31_000)
    await world.tick()
    expect(clients.filter(({ heard }) => heard.length > 0)).toHaveLength(fans.length)
    await Promise.all(clients.map(({ cancel }) => cancel()))
    expect(await world.bytes()).toBe(0)
  })

  test('gets notifications, oldest first, each once, and none of others', async () => {
    const world = openWorld()
    world.notifications.unshift(notification(5))
    const [client, other] = [await world.listen(), await world.listen(bob)]
    await world.settled()
    world.notifications.unshift(notification(7), notification(6))
    await world.hint([{ kind: 'notified', user: me }])
    await world.hint([{ kind: 'notified', user: me }])
    await world.settled()
    expect(told(client)).toEqual([6, 7])
    expect(other.heard).toEqual([])
    await Promise.all([client.cancel(), other.cancel()])
  })

  test('gets none that stand in their place of long ago', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    world.notifications.unshift(notification(7), { ...notification(6), at: 6 })
    await world.hint([{ kind: 'notified', user: me }])
    await world.tick()
    expect(told(client)).toEqual([7])
    await client.cancel()
  })

  test('who comes back is told what was missed, from where the last event was', async () => {
    const world = openWorld()
    world.notifications.unshift(notification(8), notification(7))
    world.news = { count: 2, newest: later(9) }
    const place = { post: later(1), notification: notification(7).key }
    const client = await world.listen(me, { place })
    await world.settled()
    expect(client.heard.map(({ name }) => name)).toEqual(['posts', 'notification'])
    expect(readEventId(client.heard[1]!.id)).toEqual({
      post: later(9),
      notification: notification(8).key,
    })
    await client.cancel()
  })

  test('who comes back after fifty notifications gets all, after more a word to read the list', async () => {
    const world = openWorld()
    for (let at = 1; at <= 51; at += 1) world.notifications.unshift(notification(at))
    const place = { post: later(1), notification: notification(1).key }
    const client = await world.listen(me, { place })
    await world.tick(3)
    expect(told(client)).toEqual(Array.from({ length: 50 }, (_, at) => at + 2))
    await client.cancel()

    for (let at = 52; at <= 200; at += 1) world.notifications.unshift(notification(at))
    const late = await world.listen(me, { place })
    await world.tick(3)
    expect(late.heard.map(({ name, data }) => [name, data])).toEqual([
      ['reset', { list: 'notifications' }],
    ])
    expect(readEventId(late.heard[0]!.id)?.notification).toEqual(notification(200).key)
    world.notifications.unshift(notification(201))
    await world.hint([{ kind: 'notified', user: me }])
    await world.tick()
    expect(late.heard.map(({ name }) => name)).toEqual(['reset', 'notification'])
    await late.cancel()
  })

  test('who reads gets all, however much it is, in its order', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    for (let at = 1; at <= 100; at += 1) {
      world.notifications.unshift({ ...notification(at), text: '말'.repeat(2_000) })
    }
    await world.hint([{ kind: 'notified', user: me }])
    // Far more than waits for a client at once.
    await world.tick(40)
    expect(told(client)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1))
    await client.cancel()
  })

  test('is looked at once where hints may have been missed, when they come again, and not all at once', async () => {
    const world = openWorld({ max: 200, maxByAddress: 200 })
    const streams: ReadableStream[] = []
    for (let at = 0; at < 200; at += 1) streams.push(await world.open((1_000 + at) as UserId))
    await world.settled()
    const looks = world.looks
    world.belief = null
    await world.tick(3)
    // Nothing is heard: nothing to look for.
    expect(world.looks).toBe(looks)
    world.belief = { belief: true }
    const each: number[] = []
    for (let at = 0; at < 30; at += 1) {
      const before = world.looks
      await world.tick()
      each.push(world.looks - before)
    }
    expect(Math.max(...each)).toBeLessThanOrEqual(20)
    expect(world.looks).toBe(looks + 200)
    await Promise.all(streams.map((stream) => stream.cancel()))
  })

  test('is looked at every few minutes', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    const looks = world.looks
    world.clock.advance(6 * 60_000)
    await world.tick(3)
    expect(world.looks).toBe(looks + 1)
    await client.cancel()
  })

  test('loses nothing while a store is away, the other one neither', async () => {
    for (const store of ['posts', 'notifications'] as const) {
      const world = openWorld()
      const client = await world.listen()
      await world.settled()
      world.failures[store] = storeUnavailable('redis')
      world.news = { count: 1, newest: later(1) }
      world.notifications.unshift(notification(1))
      await world.hint([
        { kind: 'delivered', author: ann },
        { kind: 'notified', user: me },
      ])
      await world.tick(50)
      expect(client.heard.length).toBeLessThan(2)
      expect(client.state.isClosed).toBe(false)
      world.failures[store] = null
      await world.tick(12)
      expect(client.heard.map(({ name }) => name)).toEqual(['posts', 'notification'])
      await client.cancel()
    }
  })

  test('hears a heartbeat where nothing happens', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.tick(60)
    expect(client.state.text.split('\n\n').filter((block) => block === ':').length).toBe(2)
    expect(client.state.isClosed).toBe(false)
    await client.cancel()
  })
})

describe('a stream', () => {
  test('ends with the session, and when the process is about to stop', async () => {
    const world = openWorld()
    const ended = await world.listen()
    await world.settled()
    world.failures.posts = new SnsError('unauthenticated')
    await world.announce([{ kind: 'viewer', user: me }])
    await world.tick()
    await ended.done
    world.failures.posts = null
    const left = await world.listen(bob)
    world.leaving.abort()
    await left.done
    expect(await world.streams()).toBe(0)
    await expect(world.listen()).rejects.toThrow('about to stop')
  })

  test('that begins while the process begins to stop is none', async () => {
    const world = openWorld()
    const gate = Promise.withResolvers<void>()
    world.gate.notifications = gate.promise
    const opening = world.open()
    world.leaving.abort()
    gate.resolve()
    await expect(opening).rejects.toThrow('about to stop')
    expect(await world.streams()).toBe(0)
  })

  test('is counted until its client goes; so many an account, an address and in all', async () => {
    const world = openWorld({ max: 21, maxByAddress: 15 })
    const clients = await Promise.all(Array.from({ length: 10 }, () => world.listen()))
    await expect(world.listen(me, { address: 'there' })).rejects.toThrow(
      'At most 10 clients of one account',
    )
    for (let at = 0; at < 5; at += 1) clients.push(await world.listen(bob))
    await expect(world.listen(ann)).rejects.toThrow('At most 15 clients of one address')
    for (let at = 0; at < 6; at += 1) clients.push(await world.listen(ann, { address: 'there' }))
    await expect(world.listen((4 + 0) as UserId, { address: 'there' })).rejects.toThrow(
      'Too many clients',
    )
    expect(await world.streams()).toBe(21)
    await clients[0]!.cancel()
    clients.push(await world.listen())
    await Promise.all(clients.map(({ cancel }) => cancel()))
    expect(await world.streams()).toBe(0)
  })

  test('takes its place before anything is looked up, and frees it where that fails', async () => {
    const world = openWorld({ max: 1_000, maxByAddress: 1_000 })
    const gate = Promise.withResolvers<void>()
    world.gate.notifications = gate.promise
    const attempts = Array.from({ length: 1_000 }, () => world.open())
    gate.resolve()
    const opened = (await Promise.allSettled(attempts)).flatMap((each) =>
      each.status === 'fulfilled' ? [each.value] : [],
    )
    expect(opened).toHaveLength(10)
    await Promise.all(opened.map((body) => body.cancel()))
    world.failures.notifications = storeUnavailable('mysql')
    for (let at = 0; at < 20; at += 1) await expect(world.open()).rejects.toThrow()
    expect(await world.streams()).toBe(0)
  })

  test('whose client goes before it begins, or right after, frees its place', async () => {
    const world = openWorld()
    const gate = Promise.withResolvers<void>()
    world.gate.notifications = gate.promise
    const early = new AbortController()
    const opening = world.open(me, { signal: early.signal })
    early.abort()
    gate.resolve()
    await opening
    expect(await world.streams()).toBe(0)
    const late = new AbortController()
    await world.open(me, { signal: late.signal })
    expect(await world.streams()).toBe(1)
    late.abort()
    expect(await world.streams()).toBe(0)
    expect(world.isTicking).toBeFalse()
  })

  test('whose client does not read is sent no more than a buffer, and closed', async () => {
    const world = openWorld()
    await world.open()
    for (let at = 1; at <= 90; at += 1) {
      world.notifications.unshift({ ...notification(at), text: 'x'.repeat(2_000) })
    }
    await world.hint([{ kind: 'notified', user: me }])
    await world.tick(10)
    expect(await world.sent()).toBeWithin(10, 40)
    const looks = world.looks
    // As long as it has not read these, nobody looks for more.
    await world.tick(10)
    expect(world.looks).toBe(looks)
    await world.tick(60)
    expect(await world.streams()).toBe(0)
  })
})

/** When what a client was told of was noticed. */
function told({ heard }: { readonly heard: readonly Heard[] }): readonly number[] {
  return heard.flatMap(({ name, id }) =>
    name === 'notification' ? [readEventId(id)!.notification.noticedAt] : [],
  )
}
