import type { ChangeEvent } from '@sns/shared/events/change-event'
import { type Consumer, type ConsumerDeps, createConsumer } from '@sns/shared/runtime/consumer'
import { type CreatedPost, createFanOut, type FanOutDeps, type FanOutOptions } from './fan-out'

export type FanoutWorkerDeps = FanOutDeps & ConsumerDeps

export interface FanoutWorkerOptions extends Partial<FanOutOptions> {
  /** The consumer group. */
  readonly group: string
  readonly maxBatch?: number
}

const TABLES = ['posts'] as const
const NAME = 'fanout'

/**
 * Pushes every new post to the timelines of its author and followers. Nothing else: edits, deletes
 * and graph changes are decided when a feed is read, and rows of a snapshot are not new.
 */
export function createFanoutWorker(deps: FanoutWorkerDeps, options: FanoutWorkerOptions): Consumer {
  const fanOut = createFanOut(deps, {
    followerPage: options.followerPage ?? 5_000,
    chunkSize: options.chunkSize ?? 500,
    concurrency: options.concurrency ?? 8,
    // About two seconds.
    pushRetry: options.pushRetry ?? { attempts: 6, baseMs: 50, capMs: 1_000 },
  })

  async function handle(
    events: readonly ChangeEvent<'posts'>[],
    signal: AbortSignal,
  ): Promise<void> {
    const created: CreatedPost[] = []
    for (const { op, after, source } of events) {
      if (op === 'c')
        created.push({ id: after.id, author: after.author_id, committedAt: source.ts_ms })
    }
    await fanOut.deliver(created, signal)
  }

  return createConsumer(deps, {
    name: NAME,
    group: options.group,
    tables: TABLES,
    maxBatch: options.maxBatch ?? 500,
    handle,
  })
}
