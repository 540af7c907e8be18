import { describe, expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { PostId, SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { Belief } from '@sns/shared/ports/freshness'
import type { Notification } from '@sns/shared/ports/notification-store'
import { eventually } from '@sns/shared/testing/eventually'
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
    at,
    isRead: false,
  }
}

function openWorld({ max = 100 } = {}) {
  const clock = createManualClock()
  const metrics = createMetrics()
  const leaving = new AbortController()
  const memory = createMemoryFreshness()
  let belief: Belief | null = memory.belief()
  /** Newest first, of whoever asks. */
  const notifications: Notification[] = []
  let news: FeedNews = { count: 0, newest: null, authors: new Set([me, ann]) }
  let failure: Error | null = null
  let looks = 0
  const listeners = createListeners(
    {
      feed: {
        async news() {
          looks += 1
          if (failure) throw failure
          return news
        },
      },
      notifications: {
        async list(_, { limit }) {
          if (failure) throw failure
          return { items: notifications.slice(0, limit), next: null }
        },
      },
      freshness: { ...memory, belief: () => belief },
      clock,
      logger: createLogger('test', 'silent'),
      metrics,
      leaving: leaving.signal,
    },
    { max, tickMs: 2 },
  )
  return {
    listeners,
    clock,
    leaving,
    notifications,
    hint: memory.hint,
    announce: memory.announce,
    set news(next: Partial<FeedNews>) {
      news = { ...news, ...next }
    },
    set failure(next: Error | null) {
      failure = next
    },
    loseBelief() {
      belief = { belief: true }
    },
    get looks() {
      return looks
    },
    listen: async (user = me, place = NOW) => read(await listeners.listen(grantOf(user), place)),
    /** After the look at whoever has just come. */
    async settled() {
      let before = -1
      await eventually(async () => {
        const isSame = before === looks
        before = looks
        await Bun.sleep(10)
        return isSame
      })
    },
    open: async () => (await metrics.eventStreams.get()).values[0]?.value ?? 0,
  }
}

const later = (post: number) => (2 ** 52 + post) as number as PostId

describe('whoever listens', () => {
  test('is told how many posts of people followed are new, once for many hints', async () => {
    const world = openWorld()
    await using _ = { [Symbol.asyncDispose]: async () => void client.cancel() }
    const client = await world.listen()
    await world.settled()
    world.news = { count: 3, newest: later(3) }
    for (let at = 0; at < 50; at += 1) await world.hint([{ kind: 'delivered', author: ann }])
    await eventually(() => client.heard.length > 0)
    await world.settled()
    expect(client.heard.map(({ name, data }) => [name, data])).toEqual([['posts', { count: 3 }]])
    expect(readEventId(client.heard[0]!.id)?.post).toBe(later(3))
    expect(client.state.text).toMatch(/^retry: 3000\nid: \S+\n\n/)
    // The same post again is nothing new.
    await world.hint([{ kind: 'delivered', author: ann }])
    await world.settled()
    expect(client.heard).toHaveLength(1)
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
    await eventually(() => client.heard.length === 1)
    await client.cancel()
  })

  test('gets notifications, oldest first, each once, and none of others', async () => {
    const world = openWorld()
    world.notifications.unshift(notification(5))
    const [client, other] = [await world.listen(), await world.listen(bob)]
    await world.settled()
    world.notifications.unshift(notification(6), notification(5))
    world.notifications.unshift(notification(7))
    await world.hint([{ kind: 'notified', user: me }])
    await world.hint([{ kind: 'notified', user: me }])
    await eventually(() => client.heard.length === 2)
    await world.settled()
    expect(client.heard.map(({ data }) => (data as { createdAt: string }).createdAt)).toEqual([
      new Date(6).toISOString(),
      new Date(7).toISOString(),
    ])
    expect(other.heard).toEqual([])
    await Promise.all([client.cancel(), other.cancel()])
  })

  test('who comes back is told what was missed, from where the last event was', async () => {
    const world = openWorld()
    world.notifications.unshift(notification(8), notification(7))
    world.news = { count: 2, newest: later(9) }
    const place = { post: later(1), notification: notification(7).key }
    const client = await world.listen(me, place)
    await eventually(() => client.heard.length === 2)
    expect(client.heard.map(({ name }) => name)).toEqual(['posts', 'notification'])
    expect(readEventId(client.heard[1]!.id)).toEqual({
      post: later(9),
      notification: notification(8).key,
    })
    await client.cancel()
  })

  test('is looked at where hints may have been missed, and every few minutes', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    const looks = world.looks
    world.loseBelief()
    await eventually(() => world.looks === looks + 1)
    world.clock.advance(6 * 60_000)
    await eventually(() => world.looks === looks + 2)
    await client.cancel()
  })

  test('waits while a store is away, and is told after', async () => {
    const world = openWorld()
    const client = await world.listen()
    await world.settled()
    world.failure = storeUnavailable('redis')
    world.news = { count: 1, newest: later(1) }
    await world.hint([{ kind: 'delivered', author: ann }])
    const looks = world.looks
    await eventually(() => world.looks > looks + 2)
    expect([client.heard, client.state.isClosed]).toEqual([[], false])
    world.failure = null
    await eventually(() => client.heard.length === 1)
    await client.cancel()
  })
})

describe('a stream', () => {
  test('ends with the session, and when the process is about to stop', async () => {
    const world = openWorld()
    const ended = await world.listen()
    await world.settled()
    world.failure = new SnsError('unauthenticated')
    await world.announce([{ kind: 'viewer', user: me }])
    await ended.done
    world.failure = null
    const left = await world.listen(bob)
    world.leaving.abort()
    await left.done
    expect(await world.open()).toBe(0)
    await expect(world.listen()).rejects.toThrow('about to stop')
  })

  test('is counted until its client goes; so many an account and in all', async () => {
    const world = openWorld({ max: 11 })
    const clients = await Promise.all(Array.from({ length: 10 }, () => world.listen()))
    await expect(world.listen()).rejects.toThrow('At most 10 clients of one account')
    const other = await world.listen(bob)
    await expect(world.listen(ann)).rejects.toThrow('Too many clients')
    expect(await world.open()).toBe(11)
    await clients[0]!.cancel()
    clients.push(await world.listen())
    await Promise.all([...clients, other].map(({ cancel }) => cancel()))
    expect(await world.open()).toBe(0)
  })

  test('whose client does not read is closed before it takes much memory', async () => {
    const world = openWorld()
    const body = await world.listeners.listen(grantOf(me), NOW)
    let at = 1
    while ((await world.open()) === 1) {
      const long = { ...notification(at), text: 'x'.repeat(2_000) }
      world.notifications.unshift(long)
      await world.hint([{ kind: 'notified', user: me }])
      await world.settled()
      at += 1
      expect(at).toBeLessThan(100)
    }
    await body.cancel()
  })
})
