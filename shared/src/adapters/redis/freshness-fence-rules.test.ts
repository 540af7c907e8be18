import { describe, expect, test } from 'bun:test'
import type { Redis } from 'ioredis'
import type { PostId } from '../../domain/id'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import type { FreshnessFence } from '../../ports/freshness-fence'
import { createMemoryFreshnessFence } from '../../testing/memory-freshness-fence'
import { createSteppedTime } from '../../testing/stepped-time'
import type { RedisClient } from './client'
import { createRedisFreshness } from './freshness'

const LEASE_MS = 2_000
/** A writer waits this much longer than a lease lasts. */
const OUTLASTED_MS = 2_200
const POLL_MS = 100
const change = { kind: 'post', post: 1 as PostId } as const

/** How long a call is on its way to the database, and its answer on the way back. */
interface Delay {
  readonly there: number
  readonly back: number
}

/** One process on run `a` that believes, and a fence whose every call the test can slow down. */
async function openProcess() {
  const { time, advance } = createSteppedTime({ stepMs: 20 })
  const fence = createMemoryFreshnessFence(time.now)
  const delays = new Map<keyof FreshnessFence, Delay>()
  const calls: string[] = []
  const slow = <Args extends unknown[], Result>(
    name: keyof FreshnessFence,
    call: (...args: Args) => Promise<Result>,
  ) => {
    return async (...args: Args): Promise<Result> => {
      calls.push([name, ...args.slice(1)].join(' '))
      const { there, back } = delays.get(name) ?? { there: 0, back: 0 }
      if (there > 0) await time.sleep(there)
      const result = await call(...args)
      if (back > 0) await time.sleep(back)
      return result
    }
  }
  const client = {
    current: 'a' as string | null,
    currentRun: () => client.current,
    run: (work: (redis: Redis, run: string) => Promise<unknown>) =>
      work({} as Redis, client.current ?? ''),
    publish: async () => {},
    checkRun: async () => {},
    useTerm() {},
  }
  const freshness = createRedisFreshness(
    {
      fence: {
        read: slow('read', fence.read),
        close: slow('close', fence.close),
        forgetServer: slow('forgetServer', fence.forgetServer),
        open: slow('open', fence.open),
        report: slow('report', fence.report),
        leave: slow('leave', fence.leave),
      },
      logger: createLogger('test', 'silent'),
      metrics: createMetrics(),
      time,
    },
    { channel: 'changes', leaseMs: LEASE_MS, pollMs: POLL_MS },
  )
  freshness.start(client as unknown as RedisClient)
  freshness.listener.connected()
  await advance(LEASE_MS * 2)
  expect(freshness.belief()).not.toBeNull()
  calls.length = 0
  return { fence, client, freshness, advance, delays, calls, time }
}

/** Whether it is settled, as of the moment at which it is asked. */
function settled(promise: Promise<unknown>): () => boolean {
  let isSettled = false
  const done = () => {
    isSettled = true
  }
  promise.then(done, done)
  return () => isSettled
}

describe('the rules of the fence, step by step', () => {
  test('a lease lasts from when its look began, however late the answer comes', async () => {
    const { freshness, delays, advance } = await openProcess()
    delays.set('read', { there: 0, back: 1_900 })
    // The next look begins within a poll; its answer is of that moment, and comes 1,900 ms later.
    await advance(POLL_MS + 1_900)
    expect(freshness.belief()).not.toBeNull()
    await advance(POLL_MS + 60)
    expect(freshness.belief()).toBeNull()
  })

  test('a look that began earlier never replaces one that began later', async () => {
    const { freshness, client, fence, delays, advance } = await openProcess()
    // The poll looks while the fence is open, and its answer is on the way for long.
    delays.set('read', { there: 0, back: 1_000 })
    await advance(POLL_MS)
    delays.delete('read')
    await fence.close()
    // A writer on a run of its own looks, and sees that the fence is closed.
    client.current = 'b'
    const announced = freshness.announce([change])
    await advance(20)
    client.current = 'a'
    for (let ms = 0; ms < 1_200; ms += 20) {
      expect(freshness.belief()).toBeNull()
      await advance(20)
    }
    await advance(OUTLASTED_MS)
    await announced
  })

  test('a writer that closes the fence waits a lease and a tenth, from when it is known to be closed', async () => {
    const { freshness, client, fence, delays, advance } = await openProcess()
    client.current = null
    // On its way to the database for so long, others look, find the fence open and believe.
    delays.set('close', { there: 1_000, back: 0 })
    const isAnswered = settled(freshness.announce([change]))
    await advance(20 + 1_000)
    expect(await fence.read()).toMatchObject({ isOpen: false })
    await advance(OUTLASTED_MS - 60)
    expect(isAnswered()).toBe(false)
    await advance(100)
    expect(isAnswered()).toBe(true)
  })

  test('a writer that finds it closed waits as long, from when it was first seen closed', async () => {
    const { freshness, client, fence, advance } = await openProcess()
    client.current = null
    await fence.close()
    await advance(POLL_MS + 20)
    const isAnswered = settled(freshness.announce([change]))
    await advance(OUTLASTED_MS - POLL_MS - 100)
    expect(isAnswered()).toBe(false)
    await advance(POLL_MS + 100)
    expect(isAnswered()).toBe(true)
    const isAtOnce = settled(freshness.announce([change]))
    await advance(20)
    expect(isAtOnce()).toBe(true)
  })

  test('the fence opens a lease and a tenth after it was seen closed, not earlier', async () => {
    const { fence, delays, advance } = await openProcess()
    // It is closed when a look begins; that is known when the look ends.
    await fence.close()
    delays.set('read', { there: 0, back: 600 })
    await advance(POLL_MS + 600)
    delays.delete('read')
    await advance(OUTLASTED_MS - 20)
    expect(await fence.read()).toMatchObject({ isOpen: false })
    await advance(POLL_MS * 2)
    expect(await fence.read()).toMatchObject({ isOpen: true, server: 'a' })
  })

  test('a push elsewhere counts only when the looks from before are over', async () => {
    const { freshness, fence, delays, advance } = await openProcess()
    await fence.close()
    delays.set('read', { there: 0, back: 300 })
    const isCounted = settled(freshness.confirmPush('b'))
    await advance(300 + OUTLASTED_MS - 80)
    expect(isCounted()).toBe(false)
    await advance(120)
    expect(isCounted()).toBe(true)
  })

  test('another run is reported at the next poll, before the fence is looked at', async () => {
    const { client, fence, calls, advance } = await openProcess()
    client.current = 'b'
    await advance(POLL_MS + 40)
    expect(calls.slice(0, 3)).toEqual(['report b', 'read', 'close'])
    // Nobody opens it for the run that this process has left.
    const { generation } = await fence.read()
    expect(await fence.open('a', generation)).toBe(false)
    expect(await fence.open('b', generation)).toBe(true)
  })

  test('so is that it has none; the same run is told again only now and then', async () => {
    const { client, fence, calls, advance } = await openProcess()
    client.current = null
    await advance(POLL_MS * 5)
    expect(calls.filter((call) => call.startsWith('report'))).toEqual(['report '])
    const { generation } = await fence.close()
    expect(await fence.open('a', generation)).toBe(false)
  })
})
