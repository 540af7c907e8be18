import { expect, test } from 'bun:test'
import { changeKey, documentVersion } from '@sns/shared/events/change-event'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import fc from 'fast-check'
import { createCapture } from './capture'
import {
  createFakeCheckpoints,
  createFakePublisher,
  createFakeSource,
  createNoSnapshots,
  positionAfter,
} from './testing/fakes'

const transaction = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 9 })
const trouble = fc.record({
  /** How much of each publish arrives, in turn; below 1 it fails. */
  parts: fc.array(fc.constantFrom(1, 1, 1, 0, 0.5, 0.9), { minLength: 1, maxLength: 12 }),
  /** After how many items the stream breaks, again and again. */
  streamBreaks: fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 4 }),
  /** Which saves fail. */
  saveFails: fc.array(fc.boolean(), { maxLength: 6 }),
  /** After how many publishes the whole process dies, again and again. */
  crashes: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  leaseLosses: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }),
  maxBatchRows: fc.integer({ min: 1, max: 6 }),
  maxBytes: fc.integer({ min: 700, max: 11_000 }),
})

const metrics = createMetrics()

/**
 * C1 and C2 under failing publishes (also in part), broken streams, failing saves, lost leases and
 * crashes: each change at least once before the checkpoint passes it, per key in commit order but for
 * replays, replays the same to the byte.
 */
test('every change is published before the checkpoint passes it, in order, under any trouble', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { maxLength: 25 }), trouble, async (log, given) => {
      const acknowledged = new Set<string>()
      const turns = { part: 0, save: 0, publish: 0, crash: 0, loss: 0, breaks: 0 }
      let crash = new AbortController()

      /** A throw inside a save would only look like one more failing save. */
      const passedOver: string[] = []
      const noteUnacknowledged = (gtidSet: string) => {
        const count = Number(/-(\d+)$/.exec(gtidSet)?.[1] ?? 0)
        for (const [index, ids] of log.slice(0, count).entries()) {
          for (const ordinal of ids.keys()) {
            const name = `${index + 1}.${ordinal + 1}`
            if (!acknowledged.has(name)) passedOver.push(`${name} by ${gtidSet}`)
          }
        }
      }
      const source = createFakeSource(log)
      const checkpoints = createFakeCheckpoints((checkpoint) => {
        if (crash.signal.aborted) throw new Error('dead')
        noteUnacknowledged(checkpoint.gtidSet)
        if (given.saveFails[turns.save++]) throw new Error('no save')
      })
      const publisher = createFakePublisher(() => {
        if (given.crashes[turns.crash] === ++turns.publish) {
          turns.crash += 1
          turns.publish = 0
          crash.abort()
        } else if (given.leaseLosses[turns.loss] === turns.publish) {
          turns.loss += 1
          checkpoints.loseLease()
        }
        // What a dying process sent may or may not have arrived; nobody hears of it.
        if (crash.signal.aborted) return 0.5
        return given.parts[turns.part++] ?? 1
      })
      const publish = publisher.publish
      publisher.publish = async (changes) => {
        await publish(changes)
        for (const { gtid, value } of changes) {
          acknowledged.add(`${gtid.split(':')[1]}.${JSON.parse(value).transaction.total_order}`)
        }
      }

      for (;;) {
        crash = new AbortController()
        const breakAt = given.streamBreaks[turns.breaks++]
        source.breakAfter(breakAt ?? -1)
        const capture = createCapture(
          {
            source,
            checkpoints,
            publisher,
            snapshots: createNoSnapshots(),
            metrics,
            logger: createLogger('test', 'silent'),
            clock: createManualClock(),
          },
          {
            maxBatchRows: given.maxBatchRows,
            maxBytes: given.maxBytes,
            batchIntervalMs: 0,
            checkpointIntervalMs: 0,
            idleCheckpointIntervalMs: 0,
            standbyMs: 0,
            retryMs: 0,
          },
        )
        const stop = new AbortController()
        const running = capture.run(AbortSignal.any([stop.signal, crash.signal]))
        await eventually(
          () =>
            crash.signal.aborted ||
            (checkpoints.current?.gtidSet ?? '') === positionAfter(log.length).gtidSet,
        )
        stop.abort()
        await running
        checkpoints.loseLease()
        if (!crash.signal.aborted) break
      }

      noteUnacknowledged(positionAfter(log.length).gtidSet)
      expect(passedOver).toEqual([])
      const order = new Map<string, bigint>()
      const payloads = new Map<string, string>()
      for (const event of publisher.appended) {
        const key = changeKey('posts', event.after ?? {})
        const version = documentVersion(event)
        const name = `${key} ${version}`
        const payload = JSON.stringify(event)
        if (payloads.has(name)) {
          expect(payloads.get(name)).toBe(payload)
          continue
        }
        payloads.set(name, payload)
        expect(version > (order.get(key) ?? -1n)).toBe(true)
        order.set(key, version)
      }
      expect(payloads.size).toBe(log.flat().length)
    }),
    { numRuns: 300 },
  )
}, 120_000)
