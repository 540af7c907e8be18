import { expect, test } from 'bun:test'
import { whenAborted } from '@sns/shared/async/sleep'
import { eventually } from '@sns/shared/testing/eventually'
import type { CaptureLease, Checkpoint, CheckpointStore } from '../ports/checkpoint-store'

export interface CheckpointStoreHarness extends AsyncDisposable {
  /** A store as another process would open it, over the same state. */
  open(): CheckpointStore
  /** Writes the first checkpoint, as migrate does. */
  init(checkpoint: Checkpoint): Promise<void>
  /** Breaks what holds the lease, as a lost connection does. */
  breakLease(lease: CaptureLease): Promise<void>
}

const START: Checkpoint = {
  last: null,
  gtidSet: '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5',
  file: 'binlog.000001',
  pos: 157,
  serverId: '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  epochs: { last: 5, starts: { '3e11fa47-71ca-11e1-9e33-c80aa9429562': 0 } },
}

/** What every `CheckpointStore` must do. The factory gives a fresh, empty state. */
export function checkpointStoreConformance(open: () => Promise<CheckpointStoreHarness>): void {
  test('loads null before the first checkpoint, and what was saved after', async () => {
    await using harness = await open()
    const store = harness.open()
    expect(await store.load()).toBeNull()
    await harness.init(START)
    expect(await store.load()).toEqual(START)
    await using lease = await required(store)
    const last = { gtid: `${START.serverId}:9`, committedAt: 1_795_421_234_567_891 }
    const gtidSet = `${START.serverId}:1-9`
    const epochs = { last: 12, starts: { ...START.epochs.starts, 'other:tag': -3 } }
    const later = { ...START, gtidSet, last, epochs, pos: 4_000, file: 'binlog.000002' }
    expect(await store.save(lease, later)).toBe(true)
    expect(await harness.open().load()).toEqual(later)
    expect(await store.load(lease)).toEqual(later)
    // Saving the same again is a save too.
    expect(await store.save(lease, later)).toBe(true)
  })

  test('gives the lease to one at a time, with a growing fence', async () => {
    await using harness = await open()
    await harness.init(START)
    const [first, second] = [harness.open(), harness.open()]
    const lease = await required(first)
    expect(await second.acquire()).toBeNull()
    expect(await first.acquire()).toBeNull()
    await lease[Symbol.asyncDispose]()
    // MySQL ends the session, and with it the lock, a moment after its client has.
    await using next = await untilAcquired(second)
    expect(next.fence).toBeGreaterThan(lease.fence)
    expect(await second.isLatest(next)).toBe(true)
    expect(await first.isLatest(lease).catch(() => false)).toBe(false)
    expect(await first.acquire()).toBeNull()
    expect(lease.lost.aborted).toBe(false)
  })

  test('of many that ask at once, one gets it', async () => {
    await using harness = await open()
    await harness.init(START)
    const leases = await Promise.all(Array.from({ length: 8 }, () => harness.open().acquire()))
    const held = leases.filter((lease) => lease !== null)
    expect(held).toHaveLength(1)
    for (const lease of held) await lease[Symbol.asyncDispose]()
  })

  test('a lost lease says so, saves nothing any more and makes room for the next', async () => {
    await using harness = await open()
    await harness.init(START)
    const store = harness.open()
    const lease = await required(store)
    await harness.breakLease(lease)
    await whenAborted(lease.lost)
    expect(await store.isLatest(lease)).toBe(false)
    const other = harness.open()
    await using next = await untilAcquired(other)
    const stale = await store.save(lease, { ...START, pos: 1 }).catch(() => false)
    expect(stale).toBe(false)
    expect(await other.load()).toEqual(START)
    expect(await other.save(next, { ...START, pos: 2 })).toBe(true)
    expect(await other.load()).toEqual({ ...START, pos: 2 })
    await lease[Symbol.asyncDispose]()
    expect(await harness.open().acquire()).toBeNull()
  })
}

async function required(store: CheckpointStore): Promise<CaptureLease> {
  const lease = await store.acquire()
  if (!lease) throw new Error('the lease is taken')
  return lease
}

function untilAcquired(store: CheckpointStore): Promise<CaptureLease> {
  return eventually(() => store.acquire(), { what: 'the lease comes free' })
}
