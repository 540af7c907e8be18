import type { PostId } from '@sns/shared/domain/id'
import type { PostBody, PostState, ViewedPost } from '@sns/shared/domain/post'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { PostCache } from '@sns/shared/ports/post-cache'
import type { PostStore } from '@sns/shared/ports/post-store'

export interface ViewedPostsDeps {
  readonly posts: Pick<PostStore, 'bodies'>
  readonly postCache: PostCache
  readonly metrics: Pick<Metrics, 'postCacheLookups'>
  readonly logger: Logger
}

export type ViewedPosts = ReturnType<typeof createViewedPosts>

const NOTHING: ReadonlyMap<PostId, PostBody> = new Map()

/** Joins what the truth says about posts with their bodies: cached ones of that very version, else SQL. */
export function createViewedPosts({ posts, postCache, metrics, logger }: ViewedPostsDeps) {
  /** Null where the cache is away: a cache may be lost at any moment and only makes reads slower. */
  async function cached(ids: readonly PostId[]) {
    try {
      return await postCache.getMany(ids)
    } catch (err) {
      logger.debug({ err }, 'post cache not reached; reading SQL')
      metrics.postCacheLookups.inc({ result: 'error' }, ids.length)
      return null
    }
  }

  function keep(bodies: readonly PostBody[]): void {
    postCache.putMany(bodies).catch((err) => logger.debug({ err }, 'post cache not filled'))
  }

  return {
    /** Those of `ids` that `askTruth` names, by id. The cache is asked at the same time. */
    async of(
      ids: readonly PostId[],
      askTruth: (ids: readonly PostId[]) => Promise<readonly PostState[]>,
    ): Promise<ReadonlyMap<PostId, ViewedPost>> {
      if (ids.length === 0) return new Map()
      const [states, found] = await Promise.all([askTruth(ids), cached(ids)])
      const bodies = new Map<PostId, PostBody>()
      for (const { id, version } of states) {
        const body = (found ?? NOTHING).get(id)
        if (body?.version === version) bodies.set(id, body)
      }
      const missing = states.filter(({ id }) => !bodies.has(id)).map(({ id }) => id)
      if (missing.length > 0) {
        const read = await posts.bodies(missing)
        for (const body of read) bodies.set(body.id, body)
        if (found) keep(read)
      }
      if (found) {
        metrics.postCacheLookups.inc({ result: 'hit' }, states.length - missing.length)
        metrics.postCacheLookups.inc({ result: 'miss' }, missing.length)
      }
      const viewed = new Map<PostId, ViewedPost>()
      for (const state of states) {
        const body = bodies.get(state.id)
        if (body) viewed.set(state.id, { body, state })
      }
      return viewed
    },
  }
}
