import { repeatEvery } from '../async/sleep'
import type { Settings } from '../config/program-settings'
import type { Clock } from '../domain/clock'
import type { CapturedTable } from '../events/tables'
import type { Logger } from '../observability/logger'
import type { ConsumerName, Metrics } from '../observability/metrics'
import type { ChangeLog, ConsumeOptions } from '../ports/change-log'
import type { HealthCheck } from '../ports/health'

export interface ConsumerDeps {
  readonly changeLog: Pick<ChangeLog, 'consume' | 'backlog'>
  readonly metrics: Pick<Metrics, 'consumerRetries' | 'consumerBacklog'>
  readonly logger: Pick<Logger, 'warn' | 'debug'>
  readonly clock: Clock
}

interface ConsumerOptions<T extends CapturedTable>
  extends Pick<ConsumeOptions<T>, 'group' | 'tables' | 'maxBatch' | 'handle' | 'needsSequence'> {
  /** In metrics, logs and readiness: the same in every deployment, unlike the group. */
  readonly name: ConsumerName
  readonly backlogIntervalMs?: number
}

export interface Consumer {
  readonly name: string
  /** Consumes until the signal aborts, finishes the batch in hand and resolves. */
  run(signal: AbortSignal): Promise<void>
  /**
   * Fails while the consumer is not a member of its group, and while a change has failed for more
   * than a minute, even if other changes succeed.
   */
  readonly health: HealthCheck
}

const BACKLOG_INTERVAL_MS = 5_000
/** Longer than a restart or a failover takes. */
const STUCK_MS = 60_000
/** Longer than any pause between two attempts, the attempt included. */
const REPORT_HOLDS_MS = 60_000

/** One consumer group of the change log, with its backlog, its retries and its health watched. */
export function createConsumer<T extends CapturedTable>(
  { changeLog, metrics, logger, clock }: ConsumerDeps,
  options: ConsumerOptions<T>,
): Consumer {
  const { name, group, tables, maxBatch, handle, needsSequence } = options
  let stuckAt = Number.NEGATIVE_INFINITY
  let failure: unknown = null
  let isMember = false

  async function consume(signal: AbortSignal): Promise<void> {
    await changeLog.consume({
      group,
      tables,
      maxBatch,
      handle,
      ...(needsSequence !== undefined && { needsSequence }),
      signal,
      onMembership(is) {
        isMember = is
      },
      onPutAside(reason) {
        logger.warn({ consumer: name, reason }, 'a change that cannot be read was put aside')
      },
      onRetry(error, attempt, failingMs) {
        if (failingMs > STUCK_MS) {
          stuckAt = clock.now()
          failure = error
        }
        metrics.consumerRetries.inc({ group: name })
        logger.warn({ consumer: name, err: error, attempt }, 'a batch failed; it is tried again')
      },
    })
  }

  return {
    name,
    async run(signal) {
      const done = new AbortController()
      const watching = repeatEvery(
        async () => {
          metrics.consumerBacklog.set({ group: name }, await changeLog.backlog(group, tables))
        },
        {
          intervalMs: options.backlogIntervalMs ?? BACKLOG_INTERVAL_MS,
          signal: AbortSignal.any([signal, done.signal]),
          onError: (err) => logger.debug({ consumer: name, err }, 'the backlog cannot be counted'),
        },
      )
      try {
        await consume(signal)
      } finally {
        done.abort()
        await watching
      }
    },
    health: {
      name,
      async check() {
        if (!isMember) throw new Error('the consumer has no place in its group yet')
        if (clock.now() - stuckAt <= REPORT_HOLDS_MS) throw failure
      },
    },
  }
}

/**
 * The groups that read the change log. Suites that share a Kafka and differ in prefix or database read
 * other topics, so they must not share a group.
 */
export function consumerGroups({
  keyPrefix,
  database,
}: Pick<Settings, 'keyPrefix' | 'database'>): ConsumerGroups {
  const prefix = database.kind === 'mysql' ? `${keyPrefix}.${database.database}` : keyPrefix
  return {
    fanout: `${prefix}.fanout`,
    index: `${prefix}.index`,
    announce: `${prefix}.announce`,
    derive: `${prefix}.derive`,
  }
}

interface ConsumerGroups {
  readonly fanout: string
  readonly index: string
  readonly announce: string
  readonly derive: string
}
