import type { Metrics } from '@sns/shared/observability/metrics'

export type FeedStage = 'skeleton' | 'hydrate' | 'rebuild'

export type FeedStages = ReturnType<typeof createFeedStages>

/** Times the stages of feed reads. */
export function createFeedStages({ feedStageSeconds }: Pick<Metrics, 'feedStageSeconds'>) {
  return {
    async time<T>(stage: FeedStage, work: () => Promise<T>): Promise<T> {
      const startedAt = performance.now()
      try {
        return await work()
      } finally {
        feedStageSeconds.observe({ stage }, (performance.now() - startedAt) / 1000)
      }
    },
  }
}
