import { describe, expect, test } from 'bun:test'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { encodeChange } from '@sns/shared/events/change-record'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { heldBytes } from './backlog'
import { type CaptureOptions, createCapture } from './capture'
import type { BinlogSink, BinlogSource } from './ports/binlog-source'
import type { ChangePublisher } from './ports/change-publisher'
import {
  createFakeCheckpoints,
  createFakePublisher,
  createFakeSource,
  createNoSnapshots,
  type FakeCheckpoints,
  type FakeTransaction,
  fakeChange,
  positionAfter,
  SERVER_ID,
} from './testing/fakes'

/** What one of the source's takes in the backlog, within a few digits. */
const CHANGE = heldBytes(encodeChange(fakeChange(1, positionAfter(1).gtidSet, 1)))

interface Running extends AsyncDisposable {
  readonly stop: AbortController
  readonly done: Promise<void>
  readonly health: () => Promise<void>
  readonly metrics: ReturnType<typeof createMetrics>
}

const FAST: Partial<CaptureOptions> = {
  batchIntervalMs: 0,
  checkpointIntervalMs: 0,
  idleCheckpointIntervalMs: 0,
  standbyMs: 1,
  retryMs: 1,
  maxRetryMs: 2,
}

function start(
  source: BinlogSource,
  checkpoints: FakeCheckpoints,
  publisher: ChangePublisher,
  options: Partial<CaptureOptions> = {},
): Running {
  const stop = new AbortController()
  const metrics = createMetrics()
  const logger = createLogger('test', 'silent')
  const clock = createManualClock(2_001)
  const capture = createCapture(
    { source, checkpoints, publisher, snapshots: createNoSnapshots(), metrics, logger, clock },
    { ...FAST, ...options },
  )
  const done = capture.run(stop.signal)
  done.catch(() => {})
  return {
    stop,
    done,
    metrics,
    health: () => capture.health.check(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done.catch(() => {})
    },
  }
}

const value = async (metric: { get(): Promise<{ values: { value: number }[] }> }) =>
  (await metric.get()).values.reduce((sum, { value }) => sum + value, 0)

const ids = (events: readonly { after: unknown }[]) =>
  events.map(({ after }) => (after as { id: number }).id)

/** Time enough for whatever needs no timer to happen. */
async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await yieldToEventLoop()
}

describe('capture', () => {
  test('publishes every change in order and then saves where it is', async () => {
    const source = createFakeSource([[1, 2], [], [3]])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    await using running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(3).gtidSet)
    expect(ids(publisher.acknowledged)).toEqual([1, 2, 3])
    expect([...source.visible].at(-1)).toEndWith(':3')

    source.commit([4])
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(4).gtidSet)
    expect(ids(publisher.acknowledged)).toEqual([1, 2, 3, 4])
    expect(await value(running.metrics.captureRows)).toBe(4)
    expect(await value(running.metrics.captureLagSeconds)).toBe(0)
    expect(await value(running.metrics.captureLeader)).toBe(1)
    expect(await value(running.metrics.captureBacklogBytes)).toBe(0)
    await running.health()
    running.stop.abort()
    await running.done
    expect(await value(running.metrics.captureLeader)).toBe(0)
  })

  test('gathers what comes while a batch is on its way, within its bounds', async () => {
    const source = createFakeSource([[1]])
    const publisher = createFakePublisher()
    const { promise, resolve } = Promise.withResolvers<void>()
    publisher.gate = promise
    await using _running = start(source, createFakeCheckpoints(), publisher, { maxBatchRows: 4 })
    await eventually(() => source.visible.size === 1)
    for (let id = 2; id <= 10; id++) source.commit([id])
    resolve()
    await eventually(() => publisher.acknowledged.length === 10)
    expect(publisher.batches).toEqual([1, 4, 4, 1])
  })

  test('publishes at once what comes alone, and together what comes soon after', async () => {
    const source = createFakeSource()
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    // So long that only the stop ends the wait.
    const options = { batchIntervalMs: 60_000, maxBatchRows: 3 }
    await using running = start(source, checkpoints, publisher, options)
    source.commit([1])
    await eventually(() => publisher.acknowledged.length === 1)
    source.commit([2])
    await turns(20)
    source.commit([3])
    await turns(20)
    expect(publisher.batches).toEqual([1])
    running.stop.abort()
    await running.done
    expect(publisher.batches).toEqual([1, 2])
    expect(checkpoints.current?.gtidSet).toBe(positionAfter(3).gtidSet)
  })

  test('does not wait while there is more than one batch to publish', async () => {
    const source = createFakeSource(Array.from({ length: 9 }, (_, id) => [id]))
    const publisher = createFakePublisher()
    const options = { batchIntervalMs: 60_000, maxBatchRows: 3 }
    await using _running = start(source, createFakeCheckpoints(), publisher, options)
    await eventually(() => publisher.acknowledged.length === 9)
    expect(publisher.batches).toEqual([3, 3, 3])
  })

  test('reads no further than its bound while nothing is acknowledged', async () => {
    const source = createFakeSource(Array.from({ length: 500 }, (_, i) => [i]))
    let taken = 0
    const counting: BinlogSource = {
      ...source,
      read(from, server, sink, signal) {
        const add: BinlogSink['add'] = (item) => {
          taken += 1
          return sink.add(item)
        }
        return source.read(from, server, { add }, signal)
      },
    }
    const publisher = createFakePublisher()
    const { promise, resolve } = Promise.withResolvers<void>()
    publisher.gate = promise
    const bounds = { maxBatchRows: 5, maxBatchBytes: 5.5 * CHANGE, maxBytes: 19.5 * CHANGE }
    await using running = start(counting, createFakeCheckpoints(), publisher, bounds)
    // Twenty changes, with the commits between them.
    await eventually(() => taken === 39)
    await turns(20)
    expect(taken).toBe(39)
    expect(await value(running.metrics.captureBacklogBytes)).toBeLessThanOrEqual(20.5 * CHANGE)
    publisher.gate = null
    resolve()
    await eventually(() => publisher.acknowledged.length === 500)
  })

  test('its lag is the age of what was read and not acknowledged, through every new try', async () => {
    const source = createFakeSource([[1], [2]])
    const checkpoints = createFakeCheckpoints()
    let isDown = true
    const publisher = createFakePublisher(() => (isDown ? 0 : 1))
    await using running = start(source, checkpoints, publisher, { retryMs: 20, maxRetryMs: 20 })
    const restarts = () => value(running.metrics.captureRestarts)
    await eventually(async () => (await restarts()) > 0)
    const seen: number[] = []
    // Between two sessions nothing is in hand, and it is behind all the same.
    for (const from = await restarts(); (await restarts()) < from + 5; await Bun.sleep(1)) {
      seen.push(await value(running.metrics.captureLagSeconds))
    }
    expect(new Set(seen)).toEqual(new Set([2]))
    isDown = false
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(2).gtidSet)
    expect(await value(running.metrics.captureLagSeconds)).toBe(0)
  })

  test('a transaction larger than every bound flows through before its commit', async () => {
    const large = Array.from({ length: 300 }, (_, i) => i)
    const source = createFakeSource([large])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    const bounds = { maxBatchRows: 7, maxBatchBytes: 5.5 * CHANGE, maxBytes: 10 * CHANGE }
    await using _running = start(source, checkpoints, publisher, bounds)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(1).gtidSet)
    expect(ids(publisher.acknowledged)).toEqual(large)
    expect(checkpoints.saved).toHaveLength(1)
    expect(Math.max(...publisher.batches)).toBeLessThanOrEqual(5)
  })

  test('a second capture stands by until the first lets go', async () => {
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const [one, two] = [createFakePublisher(), createFakePublisher()]
    const first = start(source, checkpoints, one)
    await eventually(() => one.acknowledged.length === 1)
    await using second = start(source, checkpoints, two)
    await second.health()
    await first[Symbol.asyncDispose]()
    source.commit([2])
    await eventually(() => two.acknowledged.length > 0)
    expect(ids(two.acknowledged)).toEqual([2])
    expect(await value(second.metrics.captureRestarts)).toBe(0)
  })

  test('a lost lease stops it at once; it starts over from the checkpoint', async () => {
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    await using running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(1).gtidSet)
    const { promise, resolve } = Promise.withResolvers<void>()
    publisher.gate = promise
    source.commit([2])
    await eventually(() => source.visible.size === 2)
    source.commit([3])
    checkpoints.loseLease()
    publisher.gate = null
    resolve()
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(3).gtidSet)
    expect(ids(publisher.acknowledged)).toEqual([1, 2, 2, 3])
    expect(await value(running.metrics.captureRestarts)).toBe(1)
  })

  test('what it holds when its lock is lost is not published, whatever it was told before', async () => {
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    // As where it asked whether it may a moment before the lock was lost.
    const trusting: ChangePublisher = {
      ...publisher,
      publish: (changes) => publisher.publish(changes),
    }
    await using running = start(source, checkpoints, trusting)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(1).gtidSet)
    const { promise, resolve } = Promise.withResolvers<void>()
    publisher.gate = promise
    source.commit([2])
    await eventually(() => source.visible.size === 2)
    source.commit([3])
    source.commit([4])
    await turns(5)
    checkpoints.loseLease()
    publisher.gate = null
    resolve()
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(4).gtidSet)
    expect(ids(publisher.acknowledged)).toEqual([1, 2, 2, 3, 4])
    expect(await value(running.metrics.captureRestarts)).toBe(1)
  })

  test('publishes nothing once another has the lease, even before it is told so', async () => {
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    await using running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(1).gtidSet)
    checkpoints.isTakenOver = true
    source.commit([2])
    await eventually(async () => (await value(running.metrics.captureRestarts)) > 0)
    expect(ids(publisher.appended)).toEqual([1])
    checkpoints.isTakenOver = false
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(2).gtidSet)
    expect(ids(publisher.appended)).toEqual([1, 2])
  })

  test('a shutdown publishes whole transactions only, saves and leaves', async () => {
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    const { promise, resolve } = Promise.withResolvers<void>()
    publisher.gate = promise
    const running = start(source, checkpoints, publisher, { checkpointIntervalMs: 60_000 })
    await eventually(() => source.visible.size === 1)
    source.commit([2, 3])
    source.breakAfter(4, 'silence')
    source.commit([4, 5, 6])
    await turns(20)
    running.stop.abort()
    publisher.gate = null
    resolve()
    await running.done
    expect(ids(publisher.acknowledged)).toEqual([1, 2, 3])
    expect(checkpoints.current?.gtidSet).toBe(positionAfter(2).gtidSet)
    expect(await checkpoints.acquire()).not.toBeNull()
  })

  test('a shutdown does not wait for ever for an acknowledgement', async () => {
    const publisher = createFakePublisher()
    publisher.gate = new Promise(() => {})
    const source = createFakeSource([[1]])
    const checkpoints = createFakeCheckpoints()
    const running = start(source, checkpoints, publisher, { shutdownMs: 10 })
    await eventually(() => source.visible.size === 1)
    running.stop.abort()
    await running.done
    expect(checkpoints.saved).toHaveLength(0)
  })

  test.each<[string, (c: FakeCheckpoints) => void, string]>([
    [
      'without a checkpoint',
      (c) => {
        c.current = null
      },
      'run migrate',
    ],
  ])('%s it gives up and says what to do', async (_what, arrange, words) => {
    const checkpoints = createFakeCheckpoints()
    arrange(checkpoints)
    const publisher = createFakePublisher()
    const running = start(createFakeSource([[1]]), checkpoints, publisher)
    const failure = await running.done.catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(OperatorError)
    expect(String(failure)).toContain(words)
    await expect(running.health()).rejects.toThrow(words)
    expect(publisher.appended).toEqual([])
    expect(await checkpoints.acquire()).not.toBeNull()
  })

  test.each([
    ['the one where the checkpoint was saved', SERVER_ID, true],
    ['another', 'other', false],
  ])('reads the server of its lease, also where that is %s', async (_which, savedAt, isKnown) => {
    const inner = createFakeSource([[1]])
    const asked: unknown[] = []
    const source: BinlogSource = {
      ...inner,
      read(from, server, sink, signal) {
        asked.push(server)
        return inner.read(from, server, sink, signal)
      },
    }
    const checkpoints = createFakeCheckpoints()
    if (checkpoints.current) checkpoints.current = { ...checkpoints.current, serverId: savedAt }
    const publisher = createFakePublisher()
    const running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.saved.length > 0)
    running.stop.abort()
    await running.done
    expect(asked).toEqual([{ id: SERVER_ID, isKnown, published: [] }])
    expect(checkpoints.current?.serverId).toBe(SERVER_ID)
    expect(publisher.acknowledged.map(({ after }) => after?.id)).toEqual([1])
  })

  test('knows what was published from another server until all of it has passed, whatever ends between', async () => {
    const inner = createFakeSource([[1], [2], [3]])
    const asked: { isKnown: boolean; published: number }[] = []
    const source: BinlogSource = {
      ...inner,
      read(from, server, sink, signal) {
        asked.push({ isKnown: server.isKnown, published: server.published.length })
        return inner.read(from, server, sink, signal)
      },
    }
    const checkpoints = createFakeCheckpoints()
    if (checkpoints.current) checkpoints.current = { ...checkpoints.current, serverId: 'another' }
    const publisher = createFakePublisher()
    for (const n of [1, 2, 3]) publisher.appended.push(fakeChange(n, `${SERVER_ID}:${n}`, 1))
    inner.breakAfter(2)
    await using _running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.current?.gtidSet === positionAfter(3).gtidSet)
    expect(asked).toEqual([
      { isKnown: false, published: 3 },
      { isKnown: false, published: 2 },
    ])
    expect(checkpoints.current?.serverId).toBe(SERVER_ID)
  })

  test("publishes all that came before what the source can't read, then gives up", async () => {
    const inner = createFakeSource([[1], [2]])
    const source: BinlogSource = {
      ...inner,
      read(from, server, sink, signal) {
        const add: BinlogSink['add'] = (item) => {
          const room = sink.add(item)
          if (item.kind === 'commit' && item.gtid.endsWith(':2')) throw new OperatorError('purged')
          return room
        }
        return inner.read(from, server, { add }, signal)
      },
    }
    const checkpoints = createFakeCheckpoints()
    const publisher = createFakePublisher()
    const running = start(source, checkpoints, publisher, { checkpointIntervalMs: 60_000 })
    expect(await running.done.catch((error: unknown) => String(error))).toContain('purged')
    expect(ids(publisher.acknowledged)).toEqual([1, 2])
    expect(checkpoints.current?.gtidSet).toBe(positionAfter(2).gtidSet)
  })

  test('a save that another capture has overtaken starts it over, not on', async () => {
    const source = createFakeSource([[1]])
    let isOvertaken = true
    const checkpoints = createFakeCheckpoints()
    const save = checkpoints.save.bind(checkpoints)
    checkpoints.save = async (lease, checkpoint) => {
      if (!isOvertaken) return save(lease, checkpoint)
      isOvertaken = false
      return false
    }
    const publisher = createFakePublisher()
    await using running = start(source, checkpoints, publisher)
    await eventually(() => checkpoints.saved.length > 0)
    expect(await value(running.metrics.captureRestarts)).toBe(1)
    expect(ids(publisher.acknowledged)).toEqual([1, 1])
  })

  test('while others write, it saves seldom', async () => {
    const source = createFakeSource()
    const checkpoints = createFakeCheckpoints()
    const options = { idleCheckpointIntervalMs: 60_000, checkpointIntervalMs: 0 }
    await using _running = start(source, checkpoints, createFakePublisher(), options)
    const none: FakeTransaction = []
    for (let i = 0; i < 20; i++) source.commit(none)
    await Bun.sleep(20)
    expect(checkpoints.saved).toHaveLength(0)
    source.commit([1])
    await eventually(() => checkpoints.saved.length === 1)
    expect(checkpoints.current?.gtidSet).toBe(positionAfter(21).gtidSet)
  })
})
