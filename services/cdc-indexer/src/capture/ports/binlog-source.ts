import type { ChangeEvent } from '@sns/shared/contract/change-event'

/** Where capture goes on: everything in `gtidSet` is done. */
export interface BinlogPosition {
  /** The set of transactions seen, as the server writes it. */
  readonly gtidSet: string
  /** For people and for metrics; resuming goes by the GTID set. */
  readonly file: string
  readonly pos: number
}

export type BinlogItem =
  /** `bytes` is the approximate memory the event holds. */
  | { readonly kind: 'change'; readonly event: ChangeEvent; readonly bytes: number }
  /** A transaction ended: all its changes came before. The only point where capture may resume. */
  | { readonly kind: 'commit'; readonly gtid: string; readonly position: BinlogPosition }

/**
 * Committed row changes of the captured tables in commit order.
 *
 * Backpressure: the source reads on only while its consumer pulls; what it holds is bounded by bytes.
 * Errors end the iteration: `OperatorError` where only a person can go on (binlog purged past the
 * position, another server, not ROW/FULL, compressed transactions), `store_unavailable` where a new
 * `stream` from the last commit may work. The other calls fail with the same two.
 */
export interface BinlogSource {
  stream(from: BinlogPosition, epoch: number, signal: AbortSignal): AsyncIterable<BinlogItem>
  /** Where the log ends now: for a first start and for measuring lag. */
  head(): Promise<BinlogPosition>
  /**
   * Resolves when readers of the database can see the transaction: the binlog is written a moment
   * before the commit is visible, and consumers of a change must be able to rely on reading it.
   * `store_unavailable` where that takes too long.
   */
  awaitVisible(gtid: string): Promise<void>
  /** Unique identity of the server's history, for noticing another server. */
  serverId(): Promise<string>
}
