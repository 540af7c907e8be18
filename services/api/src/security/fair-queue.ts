import { SnsError } from '@sns/shared/errors/sns-error'

export interface FairQueueOptions {
  /** How many tasks run at once. */
  readonly concurrency: number
  /** How many tasks may wait; one more takes the last place of the longest line, or is refused with `too_many_requests`. */
  readonly waiting: number
  /** How many tasks of one caller may wait. */
  readonly waitingEach: number
}

interface Waiting {
  begin(): void
  giveWay(): void
}

/** Who asks for a task. */
export interface Caller {
  /** Whom the task counts for: an address or a network. */
  readonly key: string
  /** Aborts when the caller has disconnected. */
  readonly signal: AbortSignal
}

/**
 * Runs a few costly tasks at once. Callers take turns, so a caller with many tasks delays only itself; and where as many
 * wait as may, whoever has more waiting than others gives way to them. A task whose caller has disconnected never starts.
 */
export function createFairQueue({ concurrency, waiting, waitingEach }: FairQueueOptions) {
  /** Waiting tasks by caller, callers in the order of their turns. No list is empty. */
  const lines = new Map<string, Waiting[]>()
  let waitingNow = 0
  let running = 0

  function startNext(): void {
    for (const [key, line] of lines) {
      lines.delete(key)
      const next = line.shift()
      if (line.length > 0) lines.set(key, line)
      waitingNow -= 1
      next?.begin()
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
    if (line.length >= waitingEach) throw tooMany()
    if (waitingNow >= waiting && !displaceFor(line)) throw tooMany()
    return new Promise((resolve, reject) => {
      const end = () => signal.removeEventListener('abort', leave)
      const mine: Waiting = {
        begin() {
          end()
          // The next task takes the place over: `running` stays the same.
          resolve()
        },
        giveWay() {
          end()
          reject(tooMany())
        },
      }
      const leave = () => {
        if (remove(key, mine)) reject(gone())
      }
      line.push(mine)
      lines.set(key, line)
      waitingNow += 1
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** False where the task does not wait any more. */
  function remove(key: string, task: Waiting): boolean {
    const line = lines.get(key)
    const at = line?.indexOf(task) ?? -1
    if (!line || at < 0) return false
    line.splice(at, 1)
    if (line.length === 0) lines.delete(key)
    waitingNow -= 1
    return true
  }

  /**
   * Makes the last of the longest line give way to one more in `line`. False where that line would then be the longest
   * itself, or as long.
   */
  function displaceFor(line: readonly Waiting[]): boolean {
    let longest: { readonly key: string; readonly line: readonly Waiting[] } | null = null
    for (const [key, each] of lines) {
      if (each.length > (longest?.line.length ?? line.length + 1)) longest = { key, line: each }
    }
    const last = longest?.line.at(-1)
    if (!longest || !last) return false
    remove(longest.key, last)
    last.giveWay()
    return true
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

function tooMany(): SnsError {
  return new SnsError('too_many_requests', {
    detail: 'Too many sign-ins are waiting; try again shortly',
    retryAfterSeconds: 5,
  })
}

function gone(): SnsError {
  return new SnsError('too_many_requests', { detail: 'The client went away before its turn' })
}
