import type { PostId, UserId } from '../domain/id'
import type { TimelineLimits } from '../domain/timeline'
import type { RebuildToken, TimelineStore } from '../ports/timeline-store'

export interface TimelineStoreHarness extends AsyncDisposable {
  readonly store: TimelineStore
  /** Lets at least this much time pass for the timeline of `user`. */
  elapse(user: UserId, ms: number): Promise<void>
}

export type CreateTimelineStoreHarness = (limits: TimelineLimits) => Promise<TimelineStoreHarness>

/** Small, so that tests reach the limits quickly. */
export const testLimits: TimelineLimits = { cap: 8, slack: 3, ttlMs: 600_000, rebuildTtlMs: 15_000 }

export const ann = (2 ** 52) as UserId
export const bob = (2 ** 52 + 1) as UserId

export function ids(...values: number[]): PostId[] {
  return values as PostId[]
}

export function descending(from: number, to: number): PostId[] {
  return ids(...Array.from({ length: from - to + 1 }, (_, index) => from - index))
}

/** Delivered, absent, duplicate, below the floor. */
export async function pushed(store: TimelineStore, id: number, users: readonly UserId[]) {
  const result = await store.push(id as PostId, users)
  return [result.delivered, result.absent, result.duplicate, result.belowFloor]
}

export async function begun(store: TimelineStore, user: UserId): Promise<RebuildToken> {
  const token = await store.beginRebuild(user)
  if (token === null) throw new Error('another rebuild is under way')
  return token
}

export function finish(
  store: TimelineStore,
  user: UserId,
  token: RebuildToken,
  values: number[],
  graphVersion = 1,
): Promise<boolean> {
  return store.finishRebuild(user, token, { ids: ids(...values), complete: true, graphVersion })
}

export async function rebuild(
  store: TimelineStore,
  user: UserId,
  values: number[],
  complete: boolean,
  graphVersion = 1,
): Promise<boolean> {
  const token = await begun(store, user)
  return store.finishRebuild(user, token, { ids: ids(...values), complete, graphVersion })
}

export async function whole(store: TimelineStore, user: UserId): Promise<readonly PostId[]> {
  const slice = await store.read(user, { before: null, limit: 1_000 })
  if (slice.state !== 'ready') throw new Error('no window')
  return slice.ids
}
