import { SnsError } from '@sns/shared/errors/sns-error'

export interface WorkGateOptions {
  /** How many pieces of work run at once. */
  readonly concurrency: number
  /** How many may wait; the next one is refused with `too_many_requests`. */
  readonly queue: number
}

/** Lets a few pieces of costly work run at once, in the order they came. */
export function createWorkGate({ concurrency, queue }: WorkGateOptions) {
  const waiting: (() => void)[] = []
  let running = 0

  async function enter(): Promise<void> {
    if (running < concurrency) {
      running += 1
      return
    }
    if (waiting.length >= queue) {
      throw new SnsError('too_many_requests', {
        detail: 'Too many sign-ins are waiting; try again shortly',
        retryAfterSeconds: 5,
      })
    }
    // The one that leaves hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve))
  }

  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }

  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
