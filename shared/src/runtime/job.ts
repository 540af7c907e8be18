import type { Logger } from '../observability/logger'
import type { HealthCheck } from '../ports/health'

/** Something a service does all the time beside answering requests. */
export interface Job {
  readonly name: string
  /** Runs until the signal aborts, then finishes what it has begun and resolves. */
  run(signal: AbortSignal): Promise<void>
}

export interface JobRunner {
  /** Red from the moment a job ended that should not have. */
  readonly health: HealthCheck
  /**
   * Runs the jobs beside each other until `signal` aborts. Where one ends before, by an error or just
   * so, the others are told to stop too and its error is thrown: a supervisor starts the process anew.
   */
  run(signal: AbortSignal): Promise<void>
}

export function createJobRunner(jobs: readonly Job[], logger: Logger): JobRunner {
  const failure = new AbortController()

  async function runOne(job: Job, stop: AbortSignal): Promise<void> {
    try {
      await job.run(stop)
      if (!stop.aborted) throw new Error(`${job.name} ended although nobody asked it to`)
    } catch (error) {
      if (failure.signal.aborted) return
      failure.abort(error)
      logger.error({ job: job.name, err: error }, 'a job failed; stopping')
    }
  }

  return {
    health: {
      name: 'jobs',
      async check() {
        failure.signal.throwIfAborted()
      },
    },
    async run(signal) {
      const stop = AbortSignal.any([signal, failure.signal])
      await Promise.all(jobs.map((job) => runOne(job, stop)))
      failure.signal.throwIfAborted()
    },
  }
}
