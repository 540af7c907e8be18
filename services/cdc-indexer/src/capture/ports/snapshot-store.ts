import type { Row } from '@sns/shared/events/change-event'
import type { CapturedTable } from '@sns/shared/events/tables'
import type { CaptureLease } from './checkpoint-store'

/** The primary key of a row, column by column. */
export type RowKey = readonly number[]

/** A table whose rows are to be published as they are, and how far that has come. */
export interface Snapshot {
  readonly table: CapturedTable
  /** Tells it from earlier ones of the same table. */
  readonly request: number
  /** The last row that is done; null: none is. */
  readonly after: RowKey | null
  /** The last row that it goes to: later ones are in the binlog. */
  readonly end: RowKey
  /** How many rows are done. */
  readonly rows: number
}

/**
 * The snapshots that operators ask for, and the rows they are made from, in the captured database. Nothing here
 * locks a row against writers.
 *
 * Errors: `store_unavailable`; `OperatorError` for a row that capture cannot publish.
 */
export interface SnapshotStore {
  /** The database whose tables it reads. */
  readonly database: string
  /** One that is wanted and has not come to its end; null: none. */
  next(): Promise<Snapshot | null>
  /** All that follows is read from this server, and fails where another one answers. */
  use(serverId: string): void
  /** The next rows in the order of their keys, at most `limit`; fewer only at the end. */
  rows(snapshot: Snapshot, limit: number): Promise<readonly Row[]>
  /**
   * Saves how far it has come, in a transaction of its own, and returns the GTID of that: whatever could be read before
   * comes earlier in the log. Null, and nothing saved, where it is no longer wanted or the lease is not the latest.
   */
  mark(lease: CaptureLease, snapshot: Snapshot): Promise<string | null>
  /** All its rows are published. Without effect where it is no longer wanted or the lease is not the latest. */
  finish(lease: CaptureLease, snapshot: Snapshot): Promise<void>
  /** It cannot go on until an operator has mended what `problem` says, and asks again. */
  fail(lease: CaptureLease, snapshot: Snapshot, problem: string): Promise<void>
}
