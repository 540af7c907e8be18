import { SnsError } from '@sns/shared/errors/sns-error'

export interface FairQueueOptions {
  /** How many tasks run at once. */
  readonly concurrency: number
  /** How many tasks may wait; one more is refused with `too_many_requests`. */
  readonly waiting: number
  /** How many tasks of one caller may wait. */
  readonly waitingEach: number
}

/** Who asks for a task. */
export interface Caller {
  /** Whom the task counts for: an address or a network. */
  readonly key: string
  /** Aborts when the caller has disconnected. */
  readonly signal: AbortSignal
}

/**
 * Runs a few costly tasks at once. Callers take turns, so a caller with many tasks delays only
 * itself. A task whose caller has disconnected never starts.
 */
export function createFairQueue({ concurrency, waiting, waitingEach }: FairQueueOptions) {
  /** Waiting tasks by caller, callers in the order of their turns. No list is empty. */
  const lines = new Map<string, (() => void)[]>()
  let waitingNow = 0
  let running = 0

  function startNext(): void {
    for (const [key, line] of lines) {
      lines.delete(key)
      const begin = line.shift()
      if (line.length > 0) lines.set(key, line)
      waitingNow -= 1
      begin?.()
      return
    }
  }

  function turn({ key, signal }: Caller): Promise<void> {
    if (signal.aborted) throw gone()
    if (running < concurrency) {
      running += 1
      return Promise.resolve()
    }
    const line = lines.get(key) ?? []
    if (waitingNow >= waiting || line.length >= waitingEach) {
      throw new SnsError('too_many_requests', {
        detail: 'Too many sign-ins are waiting; try again shortly',
        retryAfterSeconds: 5,
      })
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', leave)
        // The next task takes the place over: `running` stays the same.
        resolve()
      }
      const leave = () => {
        const mine = lines.get(key)
        const at = mine?.indexOf(begin) ?? -1
        if (!mine || at < 0) return
        mine.splice(at, 1)
        if (mine.length === 0) lines.delete(key)
        waitingNow -= 1
        reject(gone())
      }
      line.push(begin)
      lines.set(key, line)
      waitingNow += 1
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    /** Errors: `too_many_requests`. */
    async run<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
      await turn(caller)
      try {
        return await work()
      } finally {
        if (waitingNow > 0) startNext()
        else running -= 1
      }
    },
  }
}

function gone(): SnsError {
  return new SnsError('too_many_requests', { detail: 'The client went away before its turn' })
}
