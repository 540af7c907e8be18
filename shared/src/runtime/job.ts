import type { Logger } from '../observability/logger'
import type { HealthCheck } from '../ports/health'

/** Something a service does all the time beside answering requests. */
export interface Job {
  readonly name: string
  /** Runs until the signal aborts, then finishes what it has begun and resolves. */
  run(signal: AbortSignal): Promise<void>
}

export interface RunningJobs {
  /** Red from the moment a job ended that should not have. */
  readonly health: HealthCheck
  /** Resolves when all have stopped; rejects with the error of the first that failed. */
  readonly done: Promise<void>
}

/**
 * Runs jobs beside each other. They end when `signal` aborts; where one ends before, by an error or
 * just so, the others are told to stop too and `done` rejects: a supervisor starts the process anew.
 */
export function runJobs(jobs: readonly Job[], signal: AbortSignal, logger: Logger): RunningJobs {
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])

  async function runOne(job: Job): Promise<void> {
    try {
      await job.run(stop)
      if (!stop.aborted) throw new Error(`${job.name} ended although nobody asked it to`)
    } catch (error) {
      if (!failure.signal.aborted) {
        failure.abort(error)
        logger.error({ job: job.name, err: error }, 'a job failed; stopping')
      }
    }
  }

  async function runAll(): Promise<void> {
    await Promise.all(jobs.map(runOne))
    if (failure.signal.aborted) throw failure.signal.reason
  }

  return {
    health: {
      name: 'jobs',
      async check() {
        if (failure.signal.aborted) throw failure.signal.reason
      },
    },
    done: runAll(),
  }
}
