import { describe, expect, test } from 'bun:test'
import type { Redis } from 'ioredis'
import { yieldToEventLoop } from '../../async/sleep'
import type { PostId, UserId } from '../../domain/id'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { codeOf } from '../../testing/error-code'
import { createMemoryFreshnessFence } from '../../testing/memory-freshness-fence'
import { createSteppedTime } from '../../testing/stepped-time'
import type { RedisClient } from './client'
import { createRedisFreshness } from './freshness'
import { createRedisTimelineStore } from './timeline-store'

const LEASE_MS = 2_000
const change = { kind: 'post', post: 1 as PostId } as const
const deps = { logger: createLogger('test', 'silent'), metrics: createMetrics() }

/** A client on a run that the test names; `during` happens while a command is on its way. */
function createFakeClient(first: string) {
  const fake = { run: first as string | null, during: () => {} }
  const answer = async () => {
    fake.during()
    return [1, 0, 0, 0]
  }
  const commands = { publish: answer, snsTimelinePush: answer } as unknown as Redis
  const client: RedisClient = {
    run: (work) => work(commands, fake.run ?? ''),
    everywhere: async (work) => void (await work(commands)),
    publish: async () => void (await answer()),
    together: (keys) => [keys],
    define() {},
    currentRun: () => fake.run,
    async checkAccepted() {},
    async checkRun() {},
    useTerm() {},
    health: { name: 'redis', async check() {} },
    async [Symbol.asyncDispose]() {},
  }
  return Object.assign(fake, { client })
}

/** One process on run `a`, which believes. */
async function openProcess() {
  const { time, advance } = createSteppedTime()
  const fence = createMemoryFreshnessFence(time.now)
  const fake = createFakeClient('a')
  const freshness = createRedisFreshness({ fence, ...deps, time }, { channel: 'changes' })
  freshness.start(fake.client)
  freshness.listener.connected()
  await advance(LEASE_MS * 2)
  expect(freshness.belief()).not.toBeNull()
  return { fence, fake, freshness, advance }
}

/** Whether the promise is settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<false>((resolve) => setImmediate(() => resolve(false))),
  ])
}

describe('freshness by Redis', () => {
  test('one barrier serves all who ask before it is sent, and nobody who asks after that', async () => {
    const { fake, freshness } = await openProcess()
    let sent = 0
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    fake.client.everywhere = async () => {
      sent += 1
      await answered
    }
    const early = [freshness.barrier(), freshness.barrier()]
    expect(sent).toBe(0)
    await yieldToEventLoop()
    await yieldToEventLoop()
    expect(sent).toBe(1)
    const late = freshness.barrier()
    await yieldToEventLoop()
    await yieldToEventLoop()
    expect(sent).toBe(2)
    answer()
    await Promise.all([...early, late])
  })

  test('opens the fence only when a lease has passed since it was seen closed', async () => {
    const { fence, freshness, advance } = await openProcess()
    await fence.close()
    await advance(LEASE_MS)
    expect(freshness.belief()).toBeNull()
    expect(await fence.read()).toMatchObject({ isOpen: false })
    await advance(LEASE_MS)
    expect(freshness.belief()).not.toBeNull()
  })

  test('takes no change for told that went to one run while the next came', async () => {
    const { fence, fake, freshness, advance } = await openProcess()
    // A moment on a server that nobody else hears, then back.
    fake.run = 'b'
    fake.during = () => {
      fake.run = 'a'
    }
    const told = freshness.announce([change])
    await advance(100)
    expect(await fence.read()).toMatchObject({ isOpen: false })
    expect(await isDone(told)).toBe(false)
    await advance(LEASE_MS * 2)
    expect(await isDone(told)).toBe(true)
  })

  test('lets a push count where all read, and nowhere else while they read', async () => {
    const { freshness } = await openProcess()
    await freshness.confirmPush('a')
    expect(await codeOf(freshness.confirmPush('b'))).toBe('store_unavailable')
    expect(await codeOf(freshness.confirmPush(null))).toBe('store_unavailable')
  })

  test('lets a push elsewhere count while the fence is closed, in a later term', async () => {
    const { fence, freshness, advance } = await openProcess()
    const { term } = await fence.close()
    const pushed = freshness.confirmPush('b')
    await advance(100)
    // Others may go by a look from before.
    expect(await isDone(pushed)).toBe(false)
    await advance(LEASE_MS * 2)
    expect(await isDone(pushed)).toBe(true)
    expect(await fence.read()).toMatchObject({ isOpen: true, server: 'a', term: term + 1 })
  })

  test('keeps the term where a push went to the run that all read', async () => {
    const { fence, freshness, advance } = await openProcess()
    const { term } = await fence.close()
    await freshness.confirmPush('a')
    await advance(LEASE_MS * 2)
    expect(await fence.read()).toMatchObject({ isOpen: true, server: 'a', term })
  })
})

test('a push during which the run changed is confirmed of none', async () => {
  const confirmed: (string | null)[] = []
  const fake = createFakeClient('a')
  const confirmPush = async (run: string | null) => void confirmed.push(run)
  const store = createRedisTimelineStore({ client: fake.client, confirmPush }, { prefix: 'p' })
  await store.push(1 as PostId, [1 as UserId])
  fake.during = () => {
    fake.run = 'b'
  }
  await store.push(1 as PostId, [1 as UserId])
  expect(confirmed).toEqual(['a', null])
})
