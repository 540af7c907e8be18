import { backoffMs } from '@sns/shared/async/retry'
import { sleep } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { HealthCheck } from '@sns/shared/ports/health'
import {
  type CaptureSessionDeps,
  type CaptureSessionOptions,
  createCaptureLag,
  runCaptureSession,
} from './capture-session'

export interface CaptureOptions extends CaptureSessionOptions {
  /** How long to stand by before asking for the lock again; jittered up to twice that. */
  readonly standbyMs: number
  /** Back-off after a failure: full jitter up to this, doubled each time up to the maximum. */
  readonly retryMs: number
  readonly maxRetryMs: number
  /** How long a shutdown waits for acknowledgements. */
  readonly shutdownMs: number
}

const DEFAULTS: CaptureOptions = {
  maxBatchRows: 8_000,
  maxBatchBytes: 6 * 1024 * 1024,
  batchIntervalMs: 200,
  maxBytes: 15 * 1024 * 1024,
  checkpointIntervalMs: 200,
  idleCheckpointIntervalMs: 30_000,
  pollMs: 1_000,
  chunkMs: 100,
  maxChunkRows: 2_000,
  maxChunkBytes: 2 * 1024 * 1024,
  standbyMs: 500,
  retryMs: 200,
  maxRetryMs: 3_000,
  shutdownMs: 10_000,
}

export interface CaptureDeps extends Omit<CaptureSessionDeps, 'lag' | 'lease' | 'onProgress'> {
  readonly metrics: CaptureSessionDeps['metrics'] &
    Pick<Metrics, 'captureLagSeconds' | 'captureLeader' | 'captureRestarts'>
  readonly clock: Clock
  readonly logger: Logger
  /** For jitter: from 0 up to 1. */
  readonly random?: () => number
}

export interface Capture {
  /**
   * Stands by until it holds the capture lock, then publishes every committed change until the signal
   * aborts. When a server fails, it starts again from the checkpoint, as often as it takes.
   *
   * Errors: `OperatorError` where an operator must act; it is logged, and the program must end.
   */
  run(signal: AbortSignal): Promise<void>
  /** Fails while capture waits to try again, and once it has given up; standing by is healthy. */
  readonly health: HealthCheck
}

/** Publishes the source's binlog to the change log; of several captures one works at a time. */
export function createCapture(deps: CaptureDeps, overrides: Partial<CaptureOptions> = {}): Capture {
  const { checkpoints, logger, metrics, random = Math.random } = deps
  const options = Object.freeze({ ...DEFAULTS, ...overrides })
  const lag = createCaptureLag(deps.clock)
  metrics.captureLagSeconds.readFrom(lag.seconds)
  let failure: unknown = null
  let attempts = 0

  function onProgress() {
    attempts = 0
  }

  /** One session, under the lock; false where another capture holds it. */
  async function lead(signal: AbortSignal): Promise<boolean> {
    const lease = await checkpoints.acquire()
    failure = null
    if (!lease) {
      lag.forget()
      return false
    }
    await using _held = lease
    metrics.captureLeader.set(1)
    logger.info({ fence: lease.fence }, 'capturing')
    try {
      await withDeadline(
        runCaptureSession({ ...deps, lag, lease, onProgress }, options, signal),
        signal,
      )
    } finally {
      metrics.captureLeader.set(0)
    }
    return true
  }

  /** Waits for the session, but no longer than `shutdownMs` once the signal has aborted. */
  async function withDeadline(session: Promise<void>, signal: AbortSignal) {
    const late = Promise.withResolvers<void>()
    let timer: ReturnType<typeof setTimeout> | null = null
    const start = () => {
      timer = setTimeout(() => {
        logger.warn('shutting down without the last acknowledgements; they will be published again')
        late.resolve()
      }, options.shutdownMs)
    }
    signal.addEventListener('abort', start)
    if (signal.aborted) start()
    try {
      await Promise.race([session, late.promise])
    } finally {
      signal.removeEventListener('abort', start)
      if (timer) clearTimeout(timer)
      session.catch(() => {})
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    let isStandingBy = false
    while (!signal.aborted) {
      try {
        if (await lead(signal)) {
          isStandingBy = false
          continue
        }
        if (!isStandingBy) logger.info('another capture holds the lock; standing by')
        isStandingBy = true
        await sleep(options.standbyMs * (1 + random()), signal)
      } catch (error) {
        failure = error
        if (error instanceof OperatorError) {
          logger.fatal(error.message)
          throw error
        }
        if (signal.aborted) {
          logger.warn({ err: error }, 'shut down without saving the last checkpoint')
          return
        }
        attempts += 1
        metrics.captureRestarts.inc()
        const backoff = { baseMs: options.retryMs, capMs: options.maxRetryMs }
        const wait = backoffMs(attempts, backoff, random)
        logger.warn(
          { err: error, waitMs: Math.round(wait) },
          'capture restarts from its checkpoint',
        )
        await sleep(wait, signal)
      }
    }
  }

  return {
    run,
    health: {
      name: 'capture',
      async check() {
        if (failure) throw failure
      },
    },
  }
}
