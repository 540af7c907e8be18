import type { PostId } from '@sns/shared/domain/id'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import type { Account } from '@sns/shared/domain/user'
import type { Logger } from '@sns/shared/observability/logger'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import type { FeedStages } from './stages'

export interface SkeletonDeps {
  readonly timelines: TimelineStore
  readonly posts: Pick<PostStore, 'feedIds'>
  readonly stages: FeedStages
  readonly logger: Logger
}

export type SkeletonSource = 'window' | 'sql'

/** A piece of a feed as ids, newest first; fewer than asked for only at the true end. */
export interface Skeleton {
  readonly ids: readonly PostId[]
  readonly sources: readonly SkeletonSource[]
}

/** The ids of a feed below a cursor, as far as they lie at or above `floor` (0: all there are). */
interface Window {
  readonly ids: readonly PostId[]
  readonly floor: number
  readonly source: SkeletonSource
}

/**
 * Reads the ids of one viewer's feed for one request: from the cached window as far down as it goes,
 * below its floor from SQL. A window that is absent, or older than the viewer's last follow, block or
 * mute, is rebuilt first. Where timelines cannot be reached, SQL alone answers.
 */
export function createSkeletonReader(deps: SkeletonDeps, viewer: Account) {
  const { timelines, posts, stages, logger } = deps
  let isReachable = true

  /** Null where the timelines are away; then they are left alone for the rest of the request. */
  async function ask<T>(call: () => Promise<T>): Promise<T | null> {
    if (!isReachable) return null
    try {
      return await call()
    } catch (err) {
      // The adapter counts and reports outages; a line for each read would flood the log.
      logger.debug({ err }, 'timelines not reached; reading SQL')
      isReachable = false
      return null
    }
  }

  async function readWindow(before: PostId | null, limit: number): Promise<Window | null> {
    const slice = await ask(() => timelines.read(viewer.id, { before, limit }))
    if (!slice) return null
    if (slice.state === 'ready' && slice.graphVersion === viewer.graphVersion) {
      return { ids: slice.ids, floor: slice.floor, source: 'window' }
    }
    return stages.time('rebuild', () => rebuildWindow(before, limit))
  }

  async function rebuildWindow(before: PostId | null, limit: number): Promise<Window | null> {
    const token = await ask(() => timelines.beginRebuild(viewer.id))
    if (!token) return null
    const ids = await posts.feedIds(viewer.id, { before: null, limit: TIMELINE_CAP })
    const complete = ids.length < TIMELINE_CAP
    // The account was read before the ids, so its graph version can only be too old.
    const { graphVersion } = viewer
    await ask(() => timelines.finishRebuild(viewer.id, token, { ids, complete, graphVersion }))
    const below = before === null ? ids : ids.filter((id) => id < before)
    return {
      ids: below.slice(0, limit),
      floor: complete ? 0 : (ids.at(-1) ?? 0),
      source: 'sql',
    }
  }

  return async (before: PostId | null, limit: number): Promise<Skeleton> => {
    const window = await readWindow(before, limit)
    if (!window) {
      return { ids: await posts.feedIds(viewer.id, { before, limit }), sources: ['sql'] }
    }
    const { ids, floor, source } = window
    if (ids.length >= limit || floor === 0) return { ids, sources: [source] }
    // Everything from the floor up is in the window.
    const belowFloor = before !== null && before < floor ? before : (floor as PostId)
    const rest = await posts.feedIds(viewer.id, { before: belowFloor, limit: limit - ids.length })
    return { ids: [...ids, ...rest], sources: ids.length > 0 ? [source, 'sql'] : ['sql'] }
  }
}
