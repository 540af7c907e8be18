import { sleep } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Row } from '@sns/shared/events/change-event'
import { CAPTURED_TABLES } from '@sns/shared/events/tables'
import type { Logger } from '@sns/shared/observability/logger'
import type { BinlogSource } from './ports/binlog-source'
import type { CaptureLease } from './ports/checkpoint-store'
import type { RowKey, Snapshot, SnapshotStore } from './ports/snapshot-store'
import type { SnapshotWindow } from './snapshot-window'

export interface SnapshotsDeps {
  readonly store: SnapshotStore
  readonly window: SnapshotWindow
  readonly source: Pick<BinlogSource, 'awaitVisible'>
  readonly lease: CaptureLease
  readonly logger: Pick<Logger, 'info' | 'error'>
}

export interface SnapshotsOptions {
  /** How often it is asked whether a snapshot is wanted. */
  readonly pollMs: number
  /** How long the reading of a chunk should take; its size follows from that. */
  readonly chunkMs: number
  /** The most rows of a chunk, and about the most bytes of its texts. */
  readonly maxChunkRows: number
  readonly maxChunkBytes: number
}

const FIRST_CHUNK_ROWS = 500
const LEAST_CHUNK_ROWS = 50

/**
 * Publishes the rows of tables whose snapshot is wanted, chunk by chunk, beside their changes, until the signal
 * aborts. How far it has come is saved once a chunk is acknowledged, so a crash repeats one chunk at most.
 * Rejects when a server fails; a row that cannot be published fails its snapshot alone.
 */
export async function runSnapshots(
  { store, window, source, lease, logger }: SnapshotsDeps,
  options: SnapshotsOptions,
  signal: AbortSignal,
): Promise<void> {
  let limit = Math.min(FIRST_CHUNK_ROWS, options.maxChunkRows)

  /** The snapshot behind its next chunk; null: nothing more is to be done for it. */
  async function step(snapshot: Snapshot): Promise<Snapshot | null> {
    const before = window.open(snapshot.table)
    if (before !== null) await source.awaitVisible(before)
    const startedAt = performance.now()
    const rows = await store.rows(snapshot, limit)
    const tookMs = performance.now() - startedAt
    const last = rows.at(-1)
    const mark = await store.mark(lease, snapshot)
    if (mark === null) return null
    if (!last) {
      await store.finish(lease, snapshot)
      logger.info({ table: snapshot.table, rows: snapshot.rows }, 'the snapshot is published')
      return null
    }
    if (!(await window.close(rows, mark))) return snapshot
    limit = nextLimit(limit, rows, tookMs, options)
    return {
      ...snapshot,
      after: keyOf(snapshot, last),
      rows: snapshot.rows + rows.length,
    }
  }

  while (!signal.aborted) {
    let current = await store.next()
    if (!current) {
      await sleep(options.pollMs, signal)
      continue
    }
    const { table, rows } = current
    logger.info({ table, rows }, 'publishing a snapshot')
    try {
      while (current && !signal.aborted) current = await step(current)
    } catch (error) {
      if (!(error instanceof OperatorError) || !current) throw error
      logger.error({ table, problem: error.message }, 'a snapshot cannot go on')
      await store.fail(lease, current, error.message)
    } finally {
      window.cancel()
    }
  }
}

function keyOf({ table }: Snapshot, row: Row): RowKey {
  return CAPTURED_TABLES[table].key.map((column) => Number(row[column]))
}

/** How many rows the next chunk may have; at most twice or half as many as this one. */
export function nextLimit(
  limit: number,
  rows: readonly Row[],
  tookMs: number,
  { chunkMs, maxChunkRows, maxChunkBytes }: Omit<SnapshotsOptions, 'pollMs'>,
): number {
  const factor = Math.min(2, Math.max(0.5, chunkMs / Math.max(tookMs, 1)))
  const bytes = rows.reduce((sum, row) => sum + textBytes(row), 0)
  const fitting = bytes === 0 ? maxChunkRows : Math.floor((maxChunkBytes * rows.length) / bytes)
  const most = Math.max(1, Math.min(maxChunkRows, fitting))
  return Math.min(most, Math.max(LEAST_CHUNK_ROWS, Math.floor(limit * factor)))
}

function textBytes(row: Row): number {
  let bytes = 0
  for (const cell of Object.values(row)) if (typeof cell === 'string') bytes += 2 * cell.length
  return bytes
}
