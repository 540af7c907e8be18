import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'

/** Says before each call whether the store is unavailable. */
export type IsAway = () => boolean

async function unless<T>(isDown: IsAway, call: () => Promise<T>): Promise<T> {
  if (isDown()) throw storeUnavailable('redis')
  return call()
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
