import { yieldToEventLoop } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import { firstIdAt, type PostId, type UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { isSnsError, SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { EventKind, Metrics } from '@sns/shared/observability/metrics'
import type { Belief, Freshness } from '@sns/shared/ports/freshness'
import type { NotificationKey, NotificationStore } from '@sns/shared/ports/notification-store'
import { writeEventId } from '../../http/cursors'
import type { Feed } from '../feed/feed'
import { presentNotification } from '../notifications/schema'
import { createEventStream, type EventStream } from './event-stream'
import { createFollowedAuthors } from './followed-authors'
import { createStreamPlaces } from './stream-places'

export interface ListenersDeps {
  readonly feed: Pick<Feed, 'news'>
  readonly notifications: Pick<NotificationStore, 'list'>
  readonly freshness: Pick<Freshness, 'belief' | 'onChange' | 'onHint'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: Pick<Metrics, 'eventStreams' | 'eventsSent' | 'eventMemory'>
  /** Aborts when the process is about to stop: clients go on elsewhere. */
  readonly leaving: AbortSignal
}

export interface ListenersOptions {
  /** How many may listen at once. */
  readonly max: number
  /** How many of one address. */
  readonly maxByAddress: number
  /** Memory for whose posts concern whom. */
  readonly maxBytes: number
  /** Calls `tick` again and again until the function that it gives is called; every second if absent. */
  readonly ticker?: (tick: () => void) => () => void
}

/** Up to where a client has been told. */
export interface Place {
  /** The newest post that it knows; null: those that are there now. */
  readonly post: PostId | null
  /** The newest notification that it knows; null: those that are there now. */
  readonly notification: NotificationKey | null
}

/** Who listens, from where; `signal` aborts when the client is gone. */
export interface Client {
  readonly grant: Grant
  readonly address: string
  readonly signal: AbortSignal
}

interface Listener {
  readonly grant: Grant
  readonly stream: EventStream
  /** Spreads what all streams do now and then over the ticks. */
  readonly turn: number
  post: PostId | 0
  notification: NotificationKey
  /** What to look for at the next tick. */
  isPostDue: boolean
  isNotificationDue: boolean
  /** Hints may have been missed, or a look failed: look in one of the next ticks. */
  isBehind: boolean
  /** Hints of posts do not find it: it is looked at more often. */
  isUnindexed: boolean
  lookedAt: number
}

export type Listeners = ReturnType<typeof createListeners>

const COUNT_MAX = 100
/** More that came at once are in the list. */
const NOTIFICATIONS_AT_ONCE = 100
const BEAT_TICKS = 25
/** A hint may be lost, and a session may end by its age: after so long everybody is looked at again. */
const LOOK_AGAIN_MS = 5 * 60_000
const UNINDEXED_LOOK_MS = 30_000
/** After a gap in the hints, everybody is looked at within so many ticks. */
const CATCH_UP_TICKS = 10
const LOOKS_AT_ONCE = 8
/** Readers who are marked before others get their turn. */
const MARKS_AT_ONCE = 20_000
const EVERY_SECOND = (tick: () => void) => {
  const timer = setInterval(tick, 1_000)
  return () => clearInterval(timer)
}
const LEAVING = { detail: 'This process is about to stop', retryAfterSeconds: 1 }
const NONE: NotificationKey = { noticedAt: 0, kind: 0, actor: 0 as UserId, subject: 0 }

/**
 * Clients that wait for what is new to them: posts of others in their feed, as a count, and notifications.
 *
 * Fan-out hints whose posts were delivered, and who was notified. Whoever may be concerned is looked at
 * at the next tick, once for all hints of a second, by the same reads that pages and lists come from: so a
 * client is told of nothing that it may not see. When hints may have been missed (the belief changed), everybody
 * is looked at once they come again.
 */
export function createListeners(deps: ListenersDeps, options: ListenersOptions) {
  const { feed, notifications, freshness, clock, logger, metrics, leaving } = deps
  const byUser = new Map<UserId, Set<Listener>>()
  const places = createStreamPlaces(options, (count) => metrics.eventStreams.set(count))
  const followed = createFollowedAuthors(options, (bytes) => metrics.eventMemory.set(bytes))
  const waiting = new Set<Listener>()
  const looking = new Set<Listener>()
  /** Authors whose posts were delivered since the last tick. */
  let delivered = new Set<UserId>()
  let [ticks, turns] = [0, 0]
  let isTicking = false
  /** Under which hints were heard last. */
  let belief: Belief | null = freshness.belief()
  let stopTicks: (() => void) | null = null

  freshness.onHint((hint) => {
    if (byUser.size === 0) return
    if (hint.kind === 'delivered') delivered.add(hint.author)
    else for (const listener of byUser.get(hint.user) ?? []) listener.isNotificationDue = true
  })
  freshness.onChange((change) => {
    // A follow, a block, a mute; or the session ended.
    if (change.kind !== 'viewer') return
    for (const listener of byUser.get(change.user) ?? []) listener.isPostDue = true
  })
  leaving.addEventListener('abort', () => {
    for (const listener of everybody()) listener.stream.close()
  })

  function* everybody(): Generator<Listener> {
    for (const some of byUser.values()) yield* some
  }

  /** Those whom the posts delivered since the last tick concern, whatever else there is. */
  async function markConcerned(): Promise<void> {
    const authors = delivered
    delivered = new Set()
    let marks = 0
    for (const author of authors) {
      for (const user of followed.readersOf(author)) {
        marks += 1
        if (user === author) continue
        for (const listener of byUser.get(user) ?? []) listener.isPostDue = true
      }
      if (marks < MARKS_AT_ONCE) continue
      marks = 0
      await yieldToEventLoop()
    }
    // Whose posts concern these may not be known yet.
    if (authors.size > 0) for (const listener of looking) listener.isPostDue = true
  }

  async function tick(): Promise<void> {
    if (isTicking) return
    isTicking = true
    ticks += 1
    await markConcerned()
    const now = freshness.belief()
    if (now !== null && now !== belief) {
      belief = now
      for (const listener of everybody()) listener.isBehind = true
    }
    for (const listener of everybody()) {
      if (isTurn(listener, BEAT_TICKS)) listener.stream.beat()
      const after = listener.isUnindexed ? UNINDEXED_LOOK_MS : LOOK_AGAIN_MS
      const isOld = clock.now() - listener.lookedAt > after
      if (isOld || (listener.isBehind && isTurn(listener, CATCH_UP_TICKS))) {
        listener.isPostDue = true
        listener.isNotificationDue = true
      }
      const isDue = listener.isPostDue || listener.isNotificationDue
      if (isDue && !looking.has(listener) && listener.stream.hasRoom()) waiting.add(listener)
    }
    lookAtNext()
    isTicking = false
  }

  function isTurn({ turn }: Listener, everyTicks: number): boolean {
    return (ticks + turn) % everyTicks === 0
  }

  function lookAtNext(): void {
    for (const listener of waiting) {
      if (looking.size >= LOOKS_AT_ONCE) return
      waiting.delete(listener)
      looking.add(listener)
      look(listener).finally(() => {
        looking.delete(listener)
        lookAtNext()
      })
    }
  }

  async function look(listener: Listener): Promise<void> {
    const { isPostDue, isNotificationDue } = listener
    listener.isPostDue = false
    listener.isNotificationDue = false
    if (isPostDue && isNotificationDue) listener.isBehind = false
    listener.lookedAt = clock.now()
    try {
      if (isPostDue) await tellOfPosts(listener)
      if (isNotificationDue) await tellOfNotifications(listener)
    } catch (err) {
      if (isSnsError(err, 'unauthenticated')) return listener.stream.close()
      // Not at once: whoever else failed comes again too.
      listener.isBehind = true
      if (!isSnsError(err, 'store_unavailable')) logger.warn({ err }, 'events could not be read')
    }
  }

  async function tellOfPosts(listener: Listener): Promise<void> {
    const { userId } = listener.grant
    const { authors, newest, count } = await feed.news(listener.grant, listener.post, COUNT_MAX)
    const streams = byUser.get(userId)
    // Whoever left meanwhile is not to be remembered.
    if (streams) {
      const isUnindexed = authors === null || !followed.set(userId, authors)
      for (const each of streams) each.isUnindexed = isUnindexed
    }
    if (newest === null || newest <= listener.post) return
    listener.post = newest
    send(listener, 'posts', { count })
  }

  async function tellOfNotifications(listener: Listener): Promise<void> {
    const known = listener.notification
    const { items, next } = await notifications.list(listener.grant.userId, {
      before: null,
      after: known,
      limit: NOTIFICATIONS_AT_ONCE,
    })
    const [newest] = items
    if (newest !== undefined && next !== null) {
      listener.notification = newest.key
      send(listener, 'reset', { list: 'notifications' })
      return
    }
    for (const each of items.toReversed()) {
      // The rest as soon as the client has read these.
      if (!listener.stream.hasRoom()) {
        listener.isNotificationDue = true
        return
      }
      listener.notification = each.key
      // What happened long ago stands in its list and is news to nobody.
      if (each.key.noticedAt !== each.at) send(listener, 'notification', presentNotification(each))
    }
  }

  function send(listener: Listener, name: EventKind, data: unknown): void {
    const { post, notification } = listener
    listener.stream.send({ name, id: writeEventId({ post, notification }), data })
    metrics.eventsSent.inc({ event: name })
  }

  function forget(listener: Listener): void {
    const { userId } = listener.grant
    const some = byUser.get(userId)
    waiting.delete(listener)
    if (!some?.delete(listener)) return
    if (some.size === 0) {
      byUser.delete(userId)
      followed.forget(userId)
    }
    if (byUser.size > 0) return
    stopTicks?.()
    stopTicks = null
  }

  return {
    /**
     * A stream of events from `place` on. Errors: `too_many_requests` where too many listen, of this account, of this
     * address or at all; `store_unavailable` where the process is about to stop.
     */
    async listen(client: Client, place: Place): Promise<ReadableStream<Uint8Array>> {
      const { grant, address, signal } = client
      const { userId } = grant
      if (leaving.aborted) throw new SnsError('store_unavailable', LEAVING)
      const leave = places.take(userId, address)
      try {
        const post = place.post ?? (firstIdAt(clock.now()) as PostId)
        const notification = place.notification ?? (await latestNotification(userId))
        if (leaving.aborted) throw new SnsError('store_unavailable', LEAVING)
        const stream = createEventStream(writeEventId({ post, notification }), () => {
          leave()
          forget(listener)
        })
        const listener: Listener = {
          grant,
          stream,
          turn: turns++,
          post,
          notification,
          // Whoever comes back is told what was missed.
          isPostDue: true,
          isNotificationDue: true,
          isBehind: false,
          isUnindexed: false,
          lookedAt: clock.now(),
        }
        // A client that is gone before its answer began never cancels it.
        if (signal.aborted) stream.close()
        else {
          signal.addEventListener('abort', stream.close, { once: true })
          const some = byUser.get(userId) ?? new Set()
          byUser.set(userId, some.add(listener))
          stopTicks ??= (options.ticker ?? EVERY_SECOND)(() => void tick())
        }
        return stream.body
      } catch (error) {
        leave()
        throw error
      }
    },
  }

  async function latestNotification(user: UserId): Promise<NotificationKey> {
    const { items } = await notifications.list(user, { before: null, limit: 1 })
    return items[0]?.key ?? NONE
  }
}
