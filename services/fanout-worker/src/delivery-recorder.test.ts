import { describe, expect, test } from 'bun:test'
import { firstIdAt, type PostId } from '@sns/shared/domain/id'
import { createLogger } from '@sns/shared/observability/logger'
import type { LogEnd } from '@sns/shared/ports/change-log'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createDeliveryRecorder } from './delivery-recorder'

const START = createManualClock().now()

/** A pipeline whose parts stand where a test puts them; places in the log are one partition's. */
function createPipeline() {
  const clock = createManualClock()
  const state = { captured: START as number | null, end: 0, finished: 0, delivered: START }
  const newest = { at: START + 1 }
  const counts = { ends: 0, records: 0 }
  const recorder = createDeliveryRecorder(
    {
      changeLog: {
        async end(): Promise<LogEnd> {
          counts.ends += 1
          return new Map(state.end === 0 ? [] : [['posts:0', state.end]])
        },
        hasFinished: async (_group, _tables, end) => state.finished >= (end.get('posts:0') ?? 0),
      },
      deliveryProgress: {
        captured: async () => state.captured,
        delivered: async () => state.delivered,
        async record(at) {
          counts.records += 1
          state.delivered = Math.max(state.delivered, at)
        },
        oldestFrom: async (floor) => {
          const id = firstIdAt(newest.at) as PostId
          return id >= floor ? id : null
        },
        newestFrom: async () => [],
      },
      clock,
      logger: createLogger('test', 'silent'),
    },
    { group: 'g' },
  )
  return { clock, state, newest, counts, step: recorder.step }
}

describe('delivery is recorded', () => {
  test('up to where capture was, once the group has finished the log of that time', async () => {
    const { state, step } = createPipeline()
    Object.assign(state, { captured: START + 1_000, end: 5, finished: 4 })
    await step()
    expect(state.delivered).toBe(START)
    // Capture and the log go on; what was not finished then is finished now.
    Object.assign(state, { captured: START + 9_000, end: 9, finished: 5 })
    await step()
    expect(state.delivered).toBe(START + 1_000)
    state.finished = 9
    await step()
    expect(state.delivered).toBe(START + 9_000)
  })

  test('no further while capture stands, whatever the group has finished', async () => {
    const { clock, state, step } = createPipeline()
    Object.assign(state, { captured: START + 500, end: 3, finished: 3 })
    for (let at = 0; at < 5; at += 1) {
      clock.advance(1_000)
      await step()
    }
    expect(state.delivered).toBe(START + 500)
  })

  test('up to now where another program publishes, and not before anything was published', async () => {
    const { clock, state, step } = createPipeline()
    state.captured = null
    clock.advance(5_000)
    await step()
    expect(state.delivered).toBe(START)
    Object.assign(state, { end: 1, finished: 1 })
    await step()
    expect(state.delivered).toBe(START + 5_000)
  })

  test('only while a post may wait', async () => {
    const { state, newest, counts, step } = createPipeline()
    Object.assign(state, { captured: START + 61_000 })
    await step()
    expect(counts).toEqual({ ends: 1, records: 1 })
    state.captured = START + 99_000
    await step()
    expect(counts).toEqual({ ends: 1, records: 1 })
    newest.at = START + 98_000
    await step()
    expect(state.delivered).toBe(START + 99_000)
  })
})
