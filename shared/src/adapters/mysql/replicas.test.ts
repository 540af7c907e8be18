import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { yieldToEventLoop } from '../../async/sleep'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import { createSteppedTime } from '../../testing/stepped-time'
import { createReplicas, type Replica, WAIT_MS } from './replicas'

/** What a server has committed, oldest first: its GTIDs are the list as text. */
type Log = readonly number[]

const holds = (all: Log, some: Log) => some.every((each) => all.includes(each))
const parse = (executed: string): Log => (executed === '' ? [] : executed.split(',').map(Number))

/** A primary that other servers take over from, and replicas that do as a history says. */
function createWorld(count: number) {
  const { time, advance } = createSteppedTime({ stepMs: WAIT_MS })
  const listeners: (() => void)[] = []
  const metrics = createMetrics()
  let primary: Log = []
  let next = 1
  const servers = Array.from({ length: count }, (_, n) => ({
    name: `replica ${n}`,
    log: [] as Log,
    state: 'follows' as 'follows' | 'stands still' | 'is down',
    /** Told of each read that has begun, before it waits. */
    reads: 0,
  }))

  /** What is of the primary's lineage and not held up applies all. */
  function replicate() {
    for (const each of servers) {
      if (each.state === 'follows' && holds(primary, each.log)) each.log = primary
    }
  }

  const replicas = servers.map((server): Replica<() => Log> => {
    const answer = () => {
      if (server.state === 'is down') throw new Error('no connection')
    }
    return {
      name: server.name,
      async state() {
        answer()
        return { server: server.name, executed: server.log.join(',') }
      },
      async read({ executed }, waitMs, work) {
        answer()
        server.reads += 1
        if (!holds(server.log, parse(executed))) await time.sleep(waitMs)
        answer()
        return holds(server.log, parse(executed)) ? { result: await work(() => server.log) } : null
      },
    }
  })
  const { read, ...reads } = createReplicas({
    primary: {
      db: () => primary,
      position: async (other) => ({
        executed: primary.join(','),
        holds: holds(primary, parse(other)),
      }),
      onMove: (listener) => void listeners.push(listener),
    },
    replicas,
    logger: createLogger('test', 'silent'),
    metrics,
    time,
    random: () => 0.5,
  })

  async function answered(by: 'replica' | 'primary'): Promise<number> {
    const { values } = await metrics.replicaReads.get()
    return values.find(({ labels }) => labels.answer === by)?.value ?? 0
  }

  return {
    servers,
    advance,
    read,
    answered,
    primary: () => primary,
    write() {
      primary = [...primary, next]
      next += 1
      replicate()
    },
    /** Another server becomes the primary, without the last of what was committed. */
    move(lost: number) {
      primary = primary.slice(0, Math.max(0, primary.length - lost))
      for (const listener of listeners) listener()
    },
    set(n: number, state: (typeof servers)[number]['state']) {
      const server = servers[n % count]
      if (server) server.state = state
      replicate()
    },
    async aside(reason: string) {
      const { values } = await metrics.replicasAside.get()
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0
    },
    async [Symbol.asyncDispose]() {
      const ended = reads[Symbol.asyncDispose]()
      await advance(10 * WAIT_MS)
      await ended
    },
  }
}

const log = async (read: () => Log) => read()

test('a replica is read once it was found to follow the primary, and takes turns with the others', async () => {
  await using world = createWorld(2)
  world.write()
  await world.read(log)
  expect(await world.answered('primary')).toBe(1)
  await world.advance(WAIT_MS)
  const before = world.servers.map(({ reads }) => reads)
  for (let n = 0; n < 4; n += 1) expect(await world.read(log)).toEqual(world.primary())
  expect(world.servers.map(({ reads }, n) => reads - before[n]!)).toEqual([2, 2])
})

test('one that is behind holds a read up for a moment, then the primary answers alone until it has caught up', async () => {
  await using world = createWorld(1)
  await world.advance(WAIT_MS)
  world.set(0, 'stands still')
  world.write()
  const late = world.read(log)
  await world.advance(2 * WAIT_MS)
  expect(await late).toEqual(world.primary())
  expect(await world.aside('behind')).toBe(1)
  const { reads } = world.servers[0]!
  expect(await world.read(log)).toEqual(world.primary())
  expect(world.servers[0]?.reads).toBe(reads)
  world.set(0, 'follows')
  await world.advance(60_000)
  expect(await world.aside('behind')).toBe(0)
  const before = await world.answered('replica')
  await world.read(log)
  expect(await world.answered('replica')).toBe(before + 1)
})

test('one that has what a lost primary took with it is not read', async () => {
  await using world = createWorld(1)
  world.write()
  await world.advance(WAIT_MS)
  world.move(1)
  world.write()
  await world.advance(60_000)
  expect(await world.aside('diverged')).toBe(1)
  expect(await world.read(log)).toEqual(world.primary())
})

test('a look that began before another server became the primary proves nothing', async () => {
  await using world = createWorld(1)
  world.write()
  await world.advance(WAIT_MS)
  world.set(0, 'stands still')
  world.write()
  // The next look waits.
  await world.advance(1_000)
  world.set(0, 'follows')
  world.move(2)
  await world.advance(WAIT_MS)
  expect(world.servers[0]?.log).toHaveLength(2)
  expect(await world.read(log)).toEqual([])
})

test('what was read while another server became the primary is read there', async () => {
  await using world = createWorld(1)
  world.write()
  await world.advance(WAIT_MS)
  const read = await world.read(async (db) => {
    const seen = db()
    if (world.primary().length === 1) world.move(1)
    return seen
  })
  expect(read).toEqual([])
})

test('property: a read sees all that was committed when it began, and nothing that is lost', async () => {
  const n = fc.nat({ max: 2 })
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: 'write' as const }) },
    { weight: 8, arbitrary: fc.constant({ do: 'read' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('advance' as const),
        steps: fc.integer({ min: 1, max: 20 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), lost: n }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('set' as const),
        n,
        state: fc.constantFrom('follows', 'follows', 'stands still', 'is down'),
      }),
    },
  )
  let byReplica = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      await using world = createWorld(3)
      const reads: Promise<void>[] = []
      for (const each of steps) {
        if (each.do === 'write') world.write()
        else if (each.do === 'move') {
          // Whoever does not wait for a replica has its answer.
          await yieldToEventLoop()
          world.move(each.lost)
        } else if (each.do === 'set') world.set(each.n, each.state)
        else if (each.do === 'advance') await world.advance(each.steps * WAIT_MS)
        else {
          const began = world.primary()
          const check = (seen: Log) => {
            const now = world.primary()
            expect(holds(now, seen)).toBeTrue()
            expect(
              holds(
                seen,
                began.filter((id) => now.includes(id)),
              ),
            ).toBeTrue()
          }
          reads.push(world.read(log).then(check))
        }
      }
      await world.advance(10 * WAIT_MS)
      await Promise.all(reads)
      byReplica += await world.answered('replica')
    }),
    { numRuns: 100 },
  )
  expect(byReplica).toBeGreaterThan(0)
}, 60_000)
