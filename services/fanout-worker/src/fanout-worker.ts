import { repeatEvery } from '@sns/shared/async/repeat-every'
import { type ChangeEvent, changeKey } from '@sns/shared/contract/change-event'
import type { CapturedTable } from '@sns/shared/contract/tables'
import type { UserId } from '@sns/shared/domain/id'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { ChangeLog } from '@sns/shared/ports/change-log'
import { type CreatedPost, readCreatedPost } from './created-post'
import { createFanOut, type FanOutDeps, type FanOutOptions } from './fan-out'

export interface FanoutWorkerDeps extends FanOutDeps {
  readonly changeLog: ChangeLog
  readonly metrics: FanOutDeps['metrics'] & Pick<Metrics, 'consumerRetries' | 'consumerBacklog'>
  readonly logger: Logger
}

export interface FanoutWorkerOptions extends Partial<FanOutOptions> {
  /** Tells this deployment's consumer group from others': the group is `<groupPrefix>.fanout`. */
  readonly groupPrefix: string
  readonly maxBatch?: number
  readonly backlogIntervalMs?: number
}

export interface FanoutWorker {
  /** Consumes until the signal aborts, finishes the batch in hand and resolves. */
  run(signal: AbortSignal): Promise<void>
}

const TABLES: readonly CapturedTable[] = ['posts']
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
  const group = `${options.groupPrefix}.${GROUP}`
  const fanOut = createFanOut(deps, {
    followerPage: options.followerPage ?? 5_000,
    chunkSize: options.chunkSize ?? 500,
    concurrency: options.concurrency ?? 8,
  })

  async function handle(events: readonly ChangeEvent[]): Promise<void> {
    const posts: CreatedPost[] = []
    const unreadable: { readonly event: ChangeEvent; readonly author: UserId | null }[] = []
    for (const event of events) {
      if (event.op !== 'c') continue
      const read = readCreatedPost(event)
      if (read.ok) posts.push(read.post)
      else unreadable.push({ event, author: read.author })
    }
    await fanOut.deliver(posts)
    await fanOut.invalidate(unreadable.flatMap(({ author }) => author ?? []))
    for (const { event, author } of unreadable) report(event, author)
  }

  /** Waiting would not make it readable, so it is let go, once what can be mended is mended. */
  function report(event: ChangeEvent, author: UserId | null) {
    metrics.fanoutSkips.inc({ reason: 'malformed' })
    const { gtid, file, pos } = event.source ?? {}
    logger.error(
      { key: changeKey('posts', event.after ?? {}), gtid, file, pos },
      author === null
        ? 'a new post names no author that can be read; timelines may miss it until they are rebuilt'
        : 'a new post cannot be read; the timelines of its author and followers were dropped',
    )
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
