import { describe, expect, test } from 'bun:test'
import { isSnsError } from '@sns/shared/errors/sns-error'
import fc from 'fast-check'
import { createFairQueue } from './fair-queue'

const stays = new AbortController().signal
const from = (key: string, signal = stays) => ({ key, signal })

function task() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return { work: () => promise, resolve, reject }
}

const GONE = 'The client went away before its turn'
const turns = () => new Promise(setImmediate)

describe('a fair queue', () => {
  test('runs no more at once than it may, in the order of asking', async () => {
    const queue = createFairQueue({ concurrency: 2, waiting: 10, waitingEach: 10 })
    const tasks = Array.from({ length: 5 }, task)
    const begun: number[] = []
    const all = tasks.map((each, at) =>
      queue.run(from('a'), () => {
        begun.push(at)
        return each.work()
      }),
    )
    await turns()
    expect(begun).toEqual([0, 1])
    tasks[1]!.resolve('one')
    expect(await all[1]).toBe('one')
    await turns()
    expect(begun).toEqual([0, 1, 2])
    for (const each of tasks) each.resolve('done')
    await Promise.all(all)
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })

  test('lets callers take turns: one that asks for much does not hold up the others', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 100, waitingEach: 50 })
    const first = task()
    const order: string[] = []
    const ask = (address: string) => queue.run(from(address), async () => void order.push(address))
    const all = [queue.run(from('much'), first.work)]
    const rest = [...Array.from({ length: 20 }, () => ask('much')), ask('b'), ask('c'), ask('b')]
    first.resolve('')
    await Promise.all([...all, ...rest])
    expect(order.slice(0, 6)).toEqual(['much', 'b', 'c', 'much', 'b', 'much'])
  })

  test('refuses what finds it full, or its caller’s share, with when to come again', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 3, waitingEach: 2 })
    const first = task()
    const running = queue.run(from('a'), first.work)
    const waiting = ['a', 'b', 'c'].map((address) => queue.run(from(address), async () => address))
    const refusal = (address: string) =>
      queue.run(from(address), async () => 'x').catch((error: unknown) => error)
    // Nobody has more waiting than another.
    const late = await refusal('d')
    expect(isSnsError(late, 'too_many_requests') && late.retryAfterSeconds).toBeGreaterThan(0)
    first.resolve('first')
    expect(await Promise.all([running, ...waiting])).toEqual(['first', 'a', 'b', 'c'])
    const own = task()
    const all = [1, 2, 3].map(() => queue.run(from('a'), own.work))
    expect(isSnsError(await refusal('a'), 'too_many_requests')).toBeTrue()
    own.resolve('again')
    expect(await Promise.all(all)).toEqual(['again', 'again', 'again'])
  })

  test('full of a few that have much waiting, has room for whoever comes', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 1_000, waitingEach: 100 })
    const first = task()
    const running = queue.run(from('x'), first.work)
    const outcomes = new Map<string, string[]>()
    const ask = (address: string) =>
      queue
        .run(from(address), async () => 'done')
        .catch((error: unknown) => (isSnsError(error, 'too_many_requests') ? 'refused' : 'failed'))
        .then((outcome) => outcomes.set(address, [...(outcomes.get(address) ?? []), outcome]))
    const networks = Array.from({ length: 10 }, (_, at) => `network ${at}`)
    const all = networks.flatMap((network) => Array.from({ length: 100 }, () => ask(network)))
    const newcomers = Array.from({ length: 300 }, (_, at) => `newcomer ${at}`)
    all.push(...newcomers.map(ask))
    // Who fills the queue cannot displace them in turn.
    all.push(...networks.map(ask))
    await turns()
    first.resolve('')
    await Promise.all([running, ...all])
    for (const newcomer of newcomers) expect(outcomes.get(newcomer)).toEqual(['done'])
    for (const network of networks) {
      const done = outcomes.get(network)?.filter((outcome) => outcome === 'done').length
      // Each of the ten gave up as much as the others.
      expect(done).toBe(70)
    }
    expect(await queue.run(from('x'), async () => 'next')).toBe('next')
  })

  test('forgets a caller that has gone after giving way, and counts it once', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 2, waitingEach: 2 })
    const first = task()
    const running = queue.run(from('x'), first.work)
    const gone = new AbortController()
    const mine = [1, 2].map(() =>
      queue.run(from('a', gone.signal), async () => 'a').catch(() => 'refused'),
    )
    const other = queue.run(from('b'), async () => 'b')
    gone.abort()
    const more = queue.run(from('c'), async () => 'c')
    first.resolve('x')
    expect(await Promise.all([running, ...mine, other, more])).toEqual([
      'x',
      'refused',
      'refused',
      'b',
      'c',
    ])
  })

  test('never begins work whose caller has gone, and keeps no place for it', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 300, waitingEach: 300 })
    const first = task()
    const running = queue.run(from('a'), first.work)
    let begun = 0
    const begin = async () => {
      begun += 1
    }
    const gone = new AbortController()
    const abandoned = Array.from({ length: 250 }, () =>
      queue.run(from('a', gone.signal), begin).catch(() => 'gone'),
    )
    const real = queue.run(from('b'), async () => 'signed in')
    gone.abort()
    first.resolve('')
    expect(await real).toBe('signed in')
    expect(new Set(await Promise.all(abandoned))).toEqual(new Set(['gone']))
    await running
    expect(begun).toBe(0)
    const late = queue.run(from('a', gone.signal), begin)
    await expect(late).rejects.toThrow()
    expect(begun).toBe(0)
  })

  test('gives its place up when work fails', async () => {
    const queue = createFairQueue({ concurrency: 1, waiting: 1, waitingEach: 1 })
    const failed = await queue
      .run(from('a'), () => Promise.reject(new Error('x')))
      .catch(() => 'failed')
    expect(failed).toBe('failed')
    expect(await queue.run(from('a'), () => Promise.resolve('next'))).toBe('next')
  })

  test('whoever comes, goes and fails, runs no more at once than it may, and all that may', async () => {
    const step = fc.record({
      address: fc.constantFrom('a', 'b', 'c'),
      leaves: fc.boolean(),
      fails: fc.boolean(),
      turns: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, concurrency) => {
          const queue = createFairQueue({ concurrency, waiting: 1_000, waitingEach: 1_000 })
          let running = 0
          let most = 0
          const outcomes = await Promise.all(
            steps.map(({ address, leaves, fails, turns: count }) => {
              const gone = new AbortController()
              const done = queue
                .run(from(address, gone.signal), async () => {
                  running += 1
                  most = Math.max(most, running)
                  for (let turn = 0; turn < count; turn += 1) await turns()
                  running -= 1
                  if (fails) throw new Error('failed')
                  return 'done'
                })
                .catch((error: Error) => error.message)
              if (leaves) setImmediate(() => gone.abort())
              return done
            }),
          )
          expect(most).toBeLessThanOrEqual(concurrency)
          expect(running).toBe(0)
          for (const [at, { leaves, fails }] of steps.entries()) {
            const expected = [fails ? 'failed' : 'done', ...(leaves ? [GONE] : [])]
            expect(expected).toContain(outcomes[at]!)
          }
          // Every place was given back: as much runs at once as in the beginning.
          const held = Array.from({ length: concurrency }, task)
          const again = held.map((each) => queue.run(from('z'), each.work))
          const next = queue.run(from('z'), async () => 'next')
          await turns()
          expect(Bun.peek.status(next)).toBe('pending')
          for (const each of held) each.resolve('x')
          await Promise.all([...again, next])
        },
      ),
      { numRuns: 100 },
    )
  })
})
