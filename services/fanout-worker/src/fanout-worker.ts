import { repeatEvery } from '@sns/shared/async/repeat-every'
import type { ChangeEvent } from '@sns/shared/events/change-event'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { ChangeLog } from '@sns/shared/ports/change-log'
import { type CreatedPost, createFanOut, type FanOutDeps, type FanOutOptions } from './fan-out'

export interface FanoutWorkerDeps extends FanOutDeps {
  readonly changeLog: ChangeLog
  readonly metrics: FanOutDeps['metrics'] & Pick<Metrics, 'consumerRetries' | 'consumerBacklog'>
  readonly logger: Logger
}

export interface FanoutWorkerOptions extends Partial<FanOutOptions> {
  /** The consumer group; in metrics it is `fanout`. */
  readonly group: string
  readonly maxBatch?: number
  readonly backlogIntervalMs?: number
}

export interface FanoutWorker {
  /** Consumes until the signal aborts, finishes the batch in hand and resolves. */
  run(signal: AbortSignal): Promise<void>
}

const TABLES = ['posts'] as const
/** The group in metrics: the same in every deployment. */
const GROUP = 'fanout'

/**
 * Pushes every new post to the timelines of its author and followers. Nothing else: edits, deletes
 * and graph changes are decided when a feed is read, and rows of a snapshot are not new.
 */
export function createFanoutWorker(
  deps: FanoutWorkerDeps,
  options: FanoutWorkerOptions,
): FanoutWorker {
  const { changeLog, metrics, logger } = deps
  const { group } = options
  const fanOut = createFanOut(deps, {
    followerPage: options.followerPage ?? 5_000,
    chunkSize: options.chunkSize ?? 500,
    concurrency: options.concurrency ?? 8,
  })

  async function handle(events: readonly ChangeEvent<'posts'>[]): Promise<void> {
    const created: CreatedPost[] = []
    for (const { op, after, source } of events) {
      if (op === 'c')
        created.push({ id: after.id, author: after.author_id, committedAt: source.ts_ms })
    }
    await fanOut.deliver(created)
  }

  return {
    async run(signal) {
      const stopped = new AbortController()
      const watching = repeatEvery(
        async () => {
          const backlog = await changeLog.backlog(group, TABLES)
          metrics.consumerBacklog.set({ group: GROUP }, backlog)
        },
        {
          intervalMs: options.backlogIntervalMs ?? 5_000,
          signal: AbortSignal.any([signal, stopped.signal]),
          onError: (error) => logger.debug({ err: error }, 'the backlog cannot be counted'),
        },
      )
      try {
        await changeLog.consume({
          group,
          tables: TABLES,
          maxBatch: options.maxBatch ?? 500,
          handle,
          signal,
          onRetry(error, attempt) {
            metrics.consumerRetries.inc({ group: GROUP })
            logger.warn({ err: error, attempt }, 'fan-out failed; the same posts come again')
          },
        })
      } finally {
        stopped.abort()
        await watching
      }
    },
  }
}
