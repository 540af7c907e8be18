import type { PageQuery } from '@sns/shared/contract/http/fields'
import type * as contract from '@sns/shared/contract/http/post'
import type { PostId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { ViewedPost } from '@sns/shared/domain/post'
import type { Account } from '@sns/shared/domain/user'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import { readIdCursor, writeIdCursor } from '../../input/cursors'
import { fillPage } from '../../input/fill-page'
import { presentPost } from '../../presentation/post'
import type { ViewedPosts } from '../posts/viewed-posts'
import { createHydrate } from './hydrate'
import { applyRules } from './rules'
import { createSkeletonReader, type SkeletonSource } from './skeleton'
import { createFeedStages } from './stages'

export interface FeedServiceDeps {
  readonly posts: Pick<PostStore, 'feedIds' | 'inFeed'>
  readonly timelines: TimelineStore
  readonly viewedPosts: ViewedPosts
  readonly metrics: Pick<Metrics, 'feedReads' | 'feedStageSeconds'>
  readonly logger: Logger
}

/** The home feed: skeleton (ids) → hydrate (truth and bodies) → rules (what is shown) → present (JSON). */
export function createFeedService(deps: FeedServiceDeps) {
  const stages = createFeedStages(deps.metrics)
  const hydrate = createHydrate(deps)

  return {
    async page(viewer: Account, query: PageQuery): Promise<contract.PostPage> {
      const start = readIdCursor<'post'>('feed', query.cursor)
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT
      const skeleton = createSkeletonReader({ ...deps, stages }, viewer)
      const sources = new Set<SkeletonSource>()

      const page = await fillPage<ViewedPost, PostId>(start, limit, async (before, count) => {
        const { ids, sources: from } = await stages.time('skeleton', () => skeleton(before, count))
        for (const source of from) sources.add(source)
        const hydrated = await stages.time('hydrate', () => hydrate(viewer.id, ids))
        const shown = applyRules(ids, hydrated, before)
        return {
          found: shown.map((post) => ({ key: post.body.id, item: post })),
          last: ids.length < count ? null : (ids.at(-1) ?? null),
        }
      })

      deps.metrics.feedReads.inc({ source: sourceLabel(sources) })
      return { items: page.items.map(presentPost), nextCursor: writeIdCursor('feed', page.next) }
    },
  }
}

function sourceLabel(sources: ReadonlySet<SkeletonSource>): 'window' | 'merge' | 'sql' {
  if (!sources.has('window')) return 'sql'
  return sources.has('sql') ? 'merge' : 'window'
}
