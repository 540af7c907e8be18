import type { WrittenTopics } from '@sns/shared/events/written-topics'
import type { BinlogPosition } from './binlog-source'

export interface Checkpoint extends BinlogPosition {
  /** The server where it was saved. */
  readonly serverId: string
}

/** The right to capture. A later lease has a higher fence, and an earlier one can save nothing any more. */
export interface CaptureLease {
  readonly fence: number
  /** The server that gave it. */
  readonly serverId: string
  /** Aborts when the lock's connection is lost, or its server no longer takes writes. */
  readonly lost: AbortSignal
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Capture's place in the binlog, kept in the source database, and the lock that makes it a singleton.
 *
 * Errors: `store_unavailable`, also of `save` once the lease is lost; `OperatorError` where an
 * operator must act (no such table, no rights).
 */
export interface CheckpointStore {
  /** Null while another holds it: stand by and ask again. */
  acquire(): Promise<CaptureLease | null>
  /** Whether no later lease was given until now; each raises the fence before it is given. */
  isLatest(lease: CaptureLease): Promise<boolean>
  /** As the lease's server has it; without a lease, whichever answers. */
  load(lease?: CaptureLease): Promise<Checkpoint | null>
  /** False, and nothing written, where the lease's fence is no longer the highest. */
  save(lease: CaptureLease, checkpoint: Checkpoint): Promise<boolean>
  /** The topics that changes are written to; null until they are noted. */
  topics(lease: CaptureLease): Promise<WrittenTopics | null>
  /** Notes them. False, and nothing written, where the lease's fence is no longer the highest. */
  noteTopics(lease: CaptureLease, topics: WrittenTopics): Promise<boolean>
}

/** How an operator moves the checkpoint past what capture cannot read or no longer finds, said the same way everywhere. */
export const MOVE_ON =
  'run "snapshot --from-here": it puts capture where the binlog ends now, has every row captured anew, and has ' +
  'timelines rebuilt; then start cdc-indexer'
