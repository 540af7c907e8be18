import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'

/** Says before each call whether the store is unavailable, and after it whether the reply is lost. */
export type IsAway = () => boolean

async function unless<T>(isDown: IsAway, call: () => Promise<T>): Promise<T> {
  if (isDown()) throw storeUnavailable('redis')
  const reply = await call()
  if (isDown()) throw storeUnavailable('redis')
  return reply
}

/** Timelines behind a connection that may fail at any call. */
export function unreliableTimelines(store: TimelineStore, isDown: IsAway): TimelineStore {
  return {
    read: (...args) => unless(isDown, () => store.read(...args)),
    push: (...args) => unless(isDown, () => store.push(...args)),
    beginRebuild: (...args) => unless(isDown, () => store.beginRebuild(...args)),
    finishRebuild: (...args) => unless(isDown, () => store.finishRebuild(...args)),
    drop: (...args) => unless(isDown, () => store.drop(...args)),
  }
}

/** A belief that may end at any moment and be there again at the next, as a lease that runs out and is renewed. */
export function unreliableFreshness(freshness: Freshness, isDown: IsAway): Freshness {
  return {
    ...freshness,
    barrier: () => unless(isDown, freshness.barrier),
    belief: () => (isDown() ? null : freshness.belief()),
  }
}
