import type { MonotonicTime } from '../async/sleep'

/**
 * A world in which time passes only from event to event: the same seed gives the same history, and an
 * hour takes no longer than what happens in it.
 */
export interface SimulatedWorld {
  /** Milliseconds since it began. */
  now(): number
  /** From `low` to `high`, by the seed. */
  between(low: number, high: number): number
  after(ms: number, work: () => void): void
  /** Lets this much time pass, with all that happens in it. */
  advance(ms: number): Promise<void>
}

/** A program of that world: messages that arrive while it is paused wait in order. */
export interface SimulatedProcess {
  /** By a clock of its own, which runs a little fast or slow. */
  readonly time: MonotonicTime
  readonly isCrashed: boolean
  deliver(work: () => void): void
  pause(): void
  resume(): void
  /** As kill -9: nothing reaches it any more. */
  crash(): void
}

interface Event {
  readonly at: number
  readonly work: () => void
}

export function createSimulatedWorld(seed: number): SimulatedWorld {
  const events: Event[] = []
  const random = createRandom(seed)
  let now = 0

  function insert(event: Event): void {
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      // The last is the next: of those at one time, the first that came goes first.
      if ((events[middle]?.at ?? 0) > event.at) low = middle + 1
      else high = middle
    }
    events.splice(low, 0, event)
  }

  return {
    now: () => now,
    between: (low, high) => low + random() * (high - low),
    after: (ms, work) => insert({ at: now + Math.max(0, ms), work }),
    async advance(ms) {
      const until = now + ms
      await settled()
      for (let next = events.at(-1); next && next.at <= until; next = events.at(-1)) {
        events.pop()
        now = next.at
        next.work()
        await settled()
      }
      now = until
    },
  }
}

export function createSimulatedProcess(world: SimulatedWorld): SimulatedProcess {
  const rate = world.between(0.97, 1.03)
  const offset = world.between(0, 1_000_000)
  const inbox: (() => void)[] = []
  let isPaused = false
  let isCrashed = false

  function deliver(work: () => void): void {
    if (isCrashed) return
    if (isPaused || inbox.length > 0) inbox.push(work)
    else work()
  }

  /** One at a time, with all that follows from it before the next. */
  function takeNext(): void {
    if (isPaused || isCrashed) return
    inbox[0]?.()
    inbox.shift()
    if (inbox.length > 0) world.after(0, takeNext)
  }

  return {
    time: {
      now: () => offset + world.now() * rate,
      sleep: (ms, ...signals) =>
        new Promise((resolve) => {
          world.after(ms / rate, () => deliver(resolve))
          for (const signal of signals) {
            if (signal.aborted) resolve()
            else signal.addEventListener('abort', () => resolve(), { once: true })
          }
        }),
    },
    get isCrashed() {
      return isCrashed
    },
    deliver,
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
      world.after(0, takeNext)
    },
    crash() {
      isCrashed = true
    },
  }
}

/** Runs all pending promise callbacks. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** mulberry32 by Tommy Ettinger. */
function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
