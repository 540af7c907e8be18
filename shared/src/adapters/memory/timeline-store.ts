import { LRUCache } from 'lru-cache'
import type { Clock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import { TIMELINE_LIMITS, type TimelineLimits } from '../../domain/timeline'
import type { RebuildToken, TimelineStore } from '../../ports/timeline-store'

/** Some tens of megabytes when full. */
const TIMELINES_MAX = 10_000

export interface MemoryTimelineStoreOptions {
  readonly limits?: TimelineLimits
  /** How many timelines are kept: those read last. */
  readonly maxTimelines?: number
}

interface Window {
  /** Oldest first, so that the newest is appended. */
  readonly ids: PostId[]
  /** Every id at or above it that was given is in `ids`; 0: nothing was cut off. */
  floor: number
  expiresAt: number
  readonly state:
    | { readonly kind: 'ready'; readonly graphVersion: number }
    | { readonly kind: 'building'; readonly token: RebuildToken }
}

/** Timelines of one process, for embedded runs and tests. */
export function createMemoryTimelineStore(
  { clock }: { readonly clock: Clock },
  options: MemoryTimelineStoreOptions = {},
): TimelineStore {
  const { cap, slack, ttlMs, rebuildTtlMs } = options.limits ?? TIMELINE_LIMITS
  // Only a read counts as a use: those whom many follow are written to all the time.
  const windows = new LRUCache<UserId, Window>({ max: options.maxTimelines ?? TIMELINES_MAX })

  function live(user: UserId): Window | null {
    const window = windows.peek(user)
    if (!window) return null
    if (window.expiresAt > clock.now()) return window
    windows.delete(user)
    return null
  }

  function trim(window: Window, longest: number) {
    if (window.ids.length <= longest) return
    window.ids.splice(0, window.ids.length - cap)
    window.floor = window.ids[0] ?? window.floor
  }

  function pushOne(
    post: PostId,
    user: UserId,
  ): 'delivered' | 'absent' | 'duplicate' | 'belowFloor' {
    const window = live(user)
    if (!window) return 'absent'
    if (post < window.floor) return 'belowFloor'
    const at = place(window.ids, post)
    if (window.ids[at] === post) return 'duplicate'
    window.ids.splice(at, 0, post)
    trim(window, cap + slack)
    return 'delivered'
  }

  return {
    async read(user, { before, limit }) {
      const window = live(user)
      if (window?.state.kind !== 'ready') return { state: 'absent' }
      window.expiresAt = clock.now() + ttlMs
      windows.get(user)
      const end = before === null ? window.ids.length : place(window.ids, before)
      return {
        state: 'ready',
        ids: window.ids.slice(Math.max(0, end - limit), end).reverse(),
        floor: window.floor,
        graphVersion: window.state.graphVersion,
      }
    },

    async push(post, users) {
      const result = { delivered: 0, absent: 0, duplicate: 0, belowFloor: 0 }
      for (const user of users) result[pushOne(post, user)] += 1
      return result
    },

    async beginRebuild(user) {
      if (live(user)?.state.kind === 'building') return null
      const token = crypto.randomUUID() as string as RebuildToken
      windows.set(user, {
        ids: [],
        floor: 0,
        expiresAt: clock.now() + rebuildTtlMs,
        state: { kind: 'building', token },
      })
      return token
    },

    async finishRebuild(user, token, { ids, complete, graphVersion }) {
      const building = live(user)
      if (building?.state.kind !== 'building' || building.state.token !== token) return false
      const last = ids.at(-1)
      if (!complete && last === undefined) {
        windows.delete(user)
        return false
      }
      // Both sides are whole only above the higher of their floors.
      const floor = Math.max(building.floor, complete ? 0 : (last ?? 0))
      const merged = [...new Set([...building.ids, ...ids])].filter((id) => id >= floor)
      const window: Window = {
        ids: merged.sort((a, b) => a - b),
        floor,
        expiresAt: clock.now() + ttlMs,
        state: { kind: 'ready', graphVersion },
      }
      trim(window, cap)
      windows.set(user, window)
      return true
    },

    async drop(user) {
      windows.delete(user)
    },
  }
}

/** The index of the first of `ids` (ascending) that is not below `id`. */
function place(ids: readonly PostId[], id: PostId): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] ?? 0) < id) low = middle + 1
    else high = middle
  }
  return low
}
