import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'

/** Says before each call whether the store is away for it. */
export type IsAway = () => boolean

async function unless<T>(isAway: IsAway, call: () => Promise<T>): Promise<T> {
  if (isAway()) throw storeUnavailable('redis')
  return call()
}

/** Timelines behind a connection that may be gone for any single call. */
export function unreliableTimelines(store: TimelineStore, isAway: IsAway): TimelineStore {
  return {
    read: (...args) => unless(isAway, () => store.read(...args)),
    push: (...args) => unless(isAway, () => store.push(...args)),
    beginRebuild: (...args) => unless(isAway, () => store.beginRebuild(...args)),
    finishRebuild: (...args) => unless(isAway, () => store.finishRebuild(...args)),
    drop: (...args) => unless(isAway, () => store.drop(...args)),
  }
}
