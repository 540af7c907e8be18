import { SnsError } from '@sns/shared/errors/sns-error'

export interface FairQueueOptions {
  /** How many pieces of work run at once. */
  readonly concurrency: number
  /** How many may wait; the next one is refused with `too_many_requests`. */
  readonly waiting: number
  /** How many of one caller may wait. */
  readonly waitingEach: number
}

/** Who wants work done. */
export interface Caller {
  /** Whose turn it is counted as: an address, or the network of one. */
  readonly key: string
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal
}

/**
 * Lets a few pieces of costly work run at once. Callers take turns: one that asks for much
 * waits for itself, not others for it. Work whose caller has gone is never begun.
 */
export function createFairQueue({ concurrency, waiting, waitingEach }: FairQueueOptions) {
  /** By caller, in the order of their turns; each a list in the order of asking. Never an empty list. */
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
        // Who leaves hands the place over: `running` stays as it is.
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
    /** Errors: `too_many_requests`, which nobody reads where the caller went before its turn. */
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
