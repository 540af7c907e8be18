import type { MonotonicTime } from '../async/sleep'

/** Time that passes when it is told to, in steps, with all that follows from each before the next. */
export function createSteppedTime({ stepMs = 100 }: { readonly stepMs?: number } = {}) {
  let now = 0
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  const time: MonotonicTime = {
    now: () => now,
    sleep: (ms, ...signals) =>
      new Promise((resolve) => {
        if (signals.some((signal) => signal.aborted)) return resolve()
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.add(sleeper)
        for (const signal of signals) signal.addEventListener('abort', () => resolve())
      }),
  }
  return {
    time,
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= stepMs) {
        now += Math.min(left, stepMs)
        for (const sleeper of sleepers) {
          if (sleeper.at > now) continue
          sleepers.delete(sleeper)
          sleeper.wake()
        }
        await settle()
      }
    },
  }
}
