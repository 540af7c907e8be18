import type { Logger } from '../observability/logger'
import type { HealthCheck } from '../ports/health'

/** Background work of a service. */
export interface Job {
  readonly name: string
  /** Runs until the signal aborts, then finishes the work in hand and resolves. */
  run(signal: AbortSignal): Promise<void>
}

export interface JobRunner {
  /** Fails once a job has ended unexpectedly. */
  readonly health: HealthCheck
  /**
   * Runs the jobs side by side until `signal` aborts. If one ends early, with or without an error,
   * the others are stopped and its error is thrown, so that a supervisor restarts the process.
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
