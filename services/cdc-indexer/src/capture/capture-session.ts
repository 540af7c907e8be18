import { sleep } from '@sns/shared/async/sleep'
import type { Clock } from '@sns/shared/domain/clock'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { includes } from '@sns/shared/events/gtid'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import { type Batch, createBacklog } from './backlog'
import { createCheckpointWriter } from './checkpoint-writer'
import type { BinlogSource } from './ports/binlog-source'
import type { ChangePublisher, PublishedTransaction } from './ports/change-publisher'
import type { CaptureLease, Checkpoint, CheckpointStore } from './ports/checkpoint-store'
import type { SnapshotStore } from './ports/snapshot-store'
import { createSnapshotWindow } from './snapshot-window'
import { runSnapshots, type SnapshotsOptions } from './snapshots'

export interface CaptureSessionDeps {
  readonly source: BinlogSource
  readonly checkpoints: CheckpointStore
  readonly publisher: ChangePublisher
  readonly snapshots: SnapshotStore
  readonly logger: Pick<Logger, 'info' | 'error'>
  readonly metrics: Pick<Metrics, 'captureBacklogBytes' | 'captureRows'>
  readonly lag: CaptureLag
  readonly lease: CaptureLease
  /** Told of each batch that was acknowledged. */
  readonly onProgress: () => void
}

export interface CaptureSessionOptions extends SnapshotsOptions {
  /** A batch is what one call publishes. */
  readonly maxBatchRows: number
  readonly maxBatchBytes: number
  /**
   * The least time between two batches that are not full. What comes one by one is so published together,
   * and costs the servers behind it a fraction; what comes alone is published at once.
   */
  readonly batchIntervalMs: number
  /** The most that is read and not acknowledged, in approximate bytes of memory. */
  readonly maxBytes: number
  /** The least time between two saves of the checkpoint. */
  readonly checkpointIntervalMs: number
  /** The same while no captured row changes. */
  readonly idleCheckpointIntervalMs: number
}

/**
 * Captures under one lease, from the checkpoint on. Resolves when the signal aborts, after every whole
 * transaction that was read is published and saved; rejects when something fails. Reading, publishing,
 * saving and snapshots run side by side; one batch is published at a time, which keeps the order per key.
 *
 * The checkpoint only ever names commits whose changes, and all before them, are acknowledged.
 */
export async function runCaptureSession(
  deps: CaptureSessionDeps,
  options: CaptureSessionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { source, checkpoints, publisher, snapshots, metrics, lag, lease, onProgress } = deps
  const { serverId } = lease
  const checkpoint = await startingPoint(checkpoints, lease)
  /** Published from the log of another server, and not yet met in this one's. */
  let unmet: readonly PublishedTransaction[] = []
  await useTopics(checkpoints, publisher, lease)
  snapshots.use(serverId)
  const backlog = createBacklog(
    { onBytes: (bytes) => metrics.captureBacklogBytes.set(bytes) },
    options,
  )
  const window = createSnapshotWindow(backlog, { database: snapshots.database })
  const writer = createCheckpointWriter(
    {
      async save(position) {
        unmet = unmet.filter(({ gtid }) => !includes(position.gtidSet, gtid))
        // Until all is met, a session that takes over must know of it too.
        const savedAs = unmet.length === 0 ? serverId : checkpoint.serverId
        if (await checkpoints.save(lease, { ...position, serverId: savedAs })) return
        throw new Error('another capture has taken the lease over')
      },
      onError: (error) => backlog.abandon(asError(error)),
    },
    {
      intervalMs: options.checkpointIntervalMs,
      idleIntervalMs: options.idleCheckpointIntervalMs,
    },
  )
  const halt = new AbortController()
  const onLost = () =>
    backlog.abandon(storeUnavailable('mysql', new Error('the capture lock is lost')))
  lease.lost.addEventListener('abort', onLost)
  if (lease.lost.aborted) onLost()

  const stop = AbortSignal.any([signal, lease.lost, halt.signal])
  lag.begin(backlog.oldest)
  const reading = read()
  const snapshotting = takeSnapshots()
  try {
    await publishAll()
    await writer.flush()
  } catch (error) {
    // What was acknowledged before the failure need not come again.
    await writer.flush().catch(() => {})
    throw error
  } finally {
    halt.abort()
    backlog.close(null)
    window.abandon(new Error('the session is over'))
    lag.end()
    lease.lost.removeEventListener('abort', onLost)
    await Promise.all([reading, snapshotting])
    metrics.captureBacklogBytes.set(0)
  }

  async function read() {
    try {
      const isKnown = checkpoint.serverId === serverId
      unmet = isKnown ? [] : await publishedSince(checkpoint)
      const server = { id: serverId, isKnown, published: unmet }
      await source.read(checkpoint, server, window, stop)
      if (signal.aborted) backlog.dropIncomplete()
      backlog.close(null)
    } catch (error) {
      backlog.close(asError(error))
    }
  }

  /**
   * The checkpoint is as old on a server that took over as what that server has of it: it has seen all that the
   * checkpoint names, and may lack what was published later.
   */
  async function publishedSince({ epochs }: Checkpoint): Promise<readonly PublishedTransaction[]> {
    const tail = await publisher.tail()
    return tail.filter(({ sequence }) => sequence > epochs.last)
  }

  async function takeSnapshots() {
    try {
      await runSnapshots({ ...deps, store: snapshots, window }, options, stop)
    } catch (error) {
      if (!stop.aborted) backlog.abandon(asError(error))
    }
  }

  async function publishAll() {
    let isUrgent = false
    for (;;) {
      const batch = await backlog.next()
      if (!batch) return
      const last = batch.changes.at(-1)
      const startedAt = performance.now()
      if (last) {
        await source.awaitVisible(last.gtid)
        await publisher.publish(batch.changes, () => checkpoints.isLatest(lease))
        isUrgent = true
        lag.acknowledge(last.committedAt)
        window.acknowledge(batch.changes)
        countRows(batch)
      }
      backlog.done(batch)
      onProgress()
      if (batch.commit) {
        writer.offer(batch.commit, isUrgent)
        isUrgent = false
      }
      if (last && last.op !== 'r' && !isFull(batch)) {
        const spent = performance.now() - startedAt
        await sleep(Math.max(0, options.batchIntervalMs - spent), stop)
      }
    }
  }

  function isFull({ changes, bytes }: Batch): boolean {
    return changes.length >= options.maxBatchRows || bytes >= options.maxBatchBytes / 2
  }

  function countRows({ changes }: Batch) {
    let rows = 0
    for (const [at, { table, op }] of changes.entries()) {
      const next = changes[at + 1]
      rows += 1
      if (next?.table === table && next.op === op) continue
      metrics.captureRows.inc({ table, op }, rows)
      rows = 0
    }
  }
}

/** Those that are noted, of the size that was noted: a row's changes stay in one partition. */
async function useTopics(
  checkpoints: CheckpointStore,
  publisher: ChangePublisher,
  lease: CaptureLease,
): Promise<void> {
  const noted = await checkpoints.topics(lease)
  const used = await publisher.use(noted)
  if (noted || (await checkpoints.noteTopics(lease, used))) return
  throw new Error('another capture has taken the lease over')
}

async function startingPoint(
  checkpoints: CheckpointStore,
  lease: CaptureLease,
): Promise<Checkpoint> {
  const checkpoint = await checkpoints.load(lease)
  if (checkpoint) return checkpoint
  throw new OperatorError('there is no capture checkpoint in the database; run migrate first')
}

/** How far capture is behind, across its sessions: what one could not publish, the next must. */
interface CaptureLag {
  /** A session has begun. `oldest`: when the oldest change that it holds was committed, if any. */
  begin(oldest: () => number | null): void
  acknowledge(committedAt: number): void
  /** The session is over. Its oldest change still counts, until a later session has acknowledged it. */
  end(): void
  /** Another process captures now, so nothing is ours to publish. */
  forget(): void
  /** The age of the oldest change that was read and not acknowledged; 0 when there is none. */
  seconds(): number
}

export function createCaptureLag(clock: Clock): CaptureLag {
  const nothing = () => null
  let held: () => number | null = nothing
  let owed: number | null = null

  function oldest(): number | null {
    const inHand = held()
    return owed === null || inHand === null ? (owed ?? inHand) : Math.min(owed, inHand)
  }

  return {
    begin(from) {
      held = from
    },
    acknowledge(committedAt) {
      if (owed !== null && committedAt >= owed) owed = null
    },
    end() {
      owed = oldest()
      held = nothing
    },
    forget() {
      owed = null
    },
    seconds() {
      const since = oldest()
      return since === null ? 0 : Math.max(0, clock.now() - since) / 1_000
    },
  }
}
