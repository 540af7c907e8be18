import type { Clock } from '@sns/shared/domain/clock'
import { firstIdAt, type PostId, type UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { isSnsError, SnsError } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { EventKind, Metrics } from '@sns/shared/observability/metrics'
import type { Belief, Freshness } from '@sns/shared/ports/freshness'
import {
  compareKeys,
  type NotificationKey,
  type NotificationStore,
} from '@sns/shared/ports/notification-store'
import { writeEventId } from '../../http/cursors'
import type { Feed } from '../feed/feed'
import { presentNotification } from '../notifications/schema'
import { createEventStream, type EventStream } from './event-stream'

export interface ListenersDeps {
  readonly feed: Pick<Feed, 'news'>
  readonly notifications: Pick<NotificationStore, 'list'>
  readonly freshness: Pick<Freshness, 'belief' | 'onChange' | 'onHint'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: Pick<Metrics, 'eventStreams' | 'eventsSent'>
  /** Aborts when the process is about to stop: clients go on elsewhere. */
  readonly leaving: AbortSignal
}

export interface ListenersOptions {
  /** How many may listen at once. */
  readonly max: number
  /** Lower only in tests. */
  readonly tickMs?: number
}

/** Up to where a client has been told. */
export interface Place {
  /** The newest post that it knows; null: those that are there now. */
  readonly post: PostId | null
  /** The newest notification that it knows; null: those that are there now. */
  readonly notification: NotificationKey | null
}

interface Listener {
  readonly grant: Grant
  readonly stream: EventStream
  post: PostId | 0
  notification: NotificationKey
  /** Whose posts are in the feed, as of the last look; null: look, whoever wrote. */
  authors: ReadonlySet<UserId> | null
  /** What to look for at the next tick. */
  isPostDue: boolean
  isNotificationDue: boolean
  isLooking: boolean
  lookedAt: number
}

export type Listeners = ReturnType<typeof createListeners>

const PER_ACCOUNT = 10
const COUNT_MAX = 100
/** More that came at once are in the list. */
const NOTIFICATIONS_AT_ONCE = 20
const TICK_MS = 1_000
const BEAT_TICKS = 25
/** A hint may be lost, and a session may end by its age: after so long everybody is looked at again. */
const LOOK_AGAIN_MS = 5 * 60_000
const LOOKS_AT_ONCE = 8
const LEAVING = { detail: 'This process is about to stop', retryAfterSeconds: 1 }
const NONE: NotificationKey = { noticedAt: 0, kind: 0, actor: 0 as UserId, subject: 0 }

/**
 * Clients that wait for what is new to them: posts of others in their feed, as a count, and notifications.
 *
 * Fan-out hints whose posts were delivered, and who was notified. Whoever may be concerned is looked at
 * at the next tick, once for all hints of a second, by the same reads that pages and lists come from: so a
 * client is told of nothing that it may not see. When hints may have been missed (the belief changed), everybody
 * is looked at.
 */
export function createListeners(deps: ListenersDeps, options: ListenersOptions) {
  const { feed, notifications, freshness, clock, logger, metrics, leaving } = deps
  const byUser = new Map<UserId, Set<Listener>>()
  const waiting: Listener[] = []
  let [count, looks, ticks] = [0, 0, 0]
  let belief: Belief | null = null
  let timer: ReturnType<typeof setInterval> | null = null

  freshness.onHint((hint) => {
    if (hint.kind === 'notified') {
      for (const listener of byUser.get(hint.user) ?? []) listener.isNotificationDue = true
      return
    }
    const { author } = hint
    for (const [user, some] of byUser) {
      if (user === author) continue
      for (const listener of some) {
        if (listener.authors === null || listener.authors.has(author)) listener.isPostDue = true
      }
    }
  })
  freshness.onChange((change) => {
    // A follow, a block, a mute; or the session ended.
    if (change.kind !== 'viewer') return
    for (const listener of byUser.get(change.user) ?? []) {
      listener.authors = null
      listener.isPostDue = true
    }
  })
  leaving.addEventListener('abort', () => {
    for (const listener of everybody()) listener.stream.close()
  })

  function* everybody(): Generator<Listener> {
    for (const some of byUser.values()) yield* some
  }

  function tick(): void {
    ticks += 1
    const now = freshness.belief()
    const isGap = now !== belief
    belief = now
    for (const listener of everybody()) {
      if (ticks % BEAT_TICKS === 0) listener.stream.beat()
      if (isGap || clock.now() - listener.lookedAt > LOOK_AGAIN_MS) {
        listener.isPostDue = true
        listener.isNotificationDue = true
      }
      const isDue = listener.isPostDue || listener.isNotificationDue
      if (!isDue || listener.isLooking) continue
      listener.isLooking = true
      waiting.push(listener)
    }
    lookAtNext()
  }

  function lookAtNext(): void {
    while (looks < LOOKS_AT_ONCE) {
      const listener = waiting.shift()
      if (!listener) return
      looks += 1
      look(listener).finally(() => {
        listener.isLooking = false
        looks -= 1
        lookAtNext()
      })
    }
  }

  /** Fails where a store is away: due again at the next tick. */
  async function look(listener: Listener): Promise<void> {
    const { isPostDue, isNotificationDue } = listener
    listener.isPostDue = false
    listener.isNotificationDue = false
    listener.lookedAt = clock.now()
    try {
      if (isPostDue) await tellOfPosts(listener)
      if (isNotificationDue) await tellOfNotifications(listener)
    } catch (err) {
      if (isSnsError(err, 'unauthenticated')) return listener.stream.close()
      listener.isPostDue ||= isPostDue
      listener.isNotificationDue ||= isNotificationDue
      if (!isSnsError(err, 'store_unavailable')) logger.warn({ err }, 'events could not be read')
    }
  }

  async function tellOfPosts(listener: Listener): Promise<void> {
    const news = await feed.news(listener.grant, listener.post, COUNT_MAX)
    listener.authors = news.authors
    if (news.newest === null || news.newest <= listener.post) return
    listener.post = news.newest
    send(listener, 'posts', { count: news.count })
  }

  async function tellOfNotifications(listener: Listener): Promise<void> {
    const { items } = await notifications.list(listener.grant.userId, {
      before: null,
      limit: NOTIFICATIONS_AT_ONCE,
    })
    const known = listener.notification
    for (const each of items.filter(({ key }) => compareKeys(key, known) > 0).reverse()) {
      listener.notification = each.key
      send(listener, 'notification', presentNotification(each))
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
    if (!some?.delete(listener)) return
    count -= 1
    metrics.eventStreams.set(count)
    if (some.size === 0) byUser.delete(userId)
    if (count > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  return {
    /**
     * A stream of events from `place` on. Errors: `too_many_requests` where too many listen, of this account
     * or at all; `store_unavailable` where the process is about to stop.
     */
    async listen(grant: Grant, place: Place): Promise<ReadableStream<Uint8Array>> {
      const { userId } = grant
      if (leaving.aborted) throw new SnsError('store_unavailable', LEAVING)
      const isFull = count >= options.max
      if (isFull || (byUser.get(userId)?.size ?? 0) >= PER_ACCOUNT) {
        throw new SnsError('too_many_requests', {
          detail: isFull
            ? 'Too many clients listen to events'
            : `At most ${PER_ACCOUNT} clients of one account listen to events`,
          retryAfterSeconds: 30,
        })
      }
      const post = place.post ?? (firstIdAt(clock.now()) as PostId)
      const notification = place.notification ?? (await latestNotification(userId))
      const id = writeEventId({ post, notification })
      const stream = createEventStream(id, () => forget(listener))
      const listener: Listener = {
        grant,
        stream,
        post,
        notification,
        authors: null,
        // Whoever comes back is told what was missed.
        isPostDue: true,
        isNotificationDue: true,
        isLooking: false,
        lookedAt: clock.now(),
      }
      const some = byUser.get(userId) ?? new Set()
      byUser.set(userId, some.add(listener))
      count += 1
      metrics.eventStreams.set(count)
      timer ??= setInterval(tick, options.tickMs ?? TICK_MS)
      return stream.body
    },
  }

  async function latestNotification(user: UserId): Promise<NotificationKey> {
    const { items } = await notifications.list(user, { before: null, limit: 1 })
    return items[0]?.key ?? NONE
  }
}
