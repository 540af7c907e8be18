import type { ChangeEnvelope } from '@sns/shared/events/change-event'

/** Where capture resumes: every transaction in `gtidSet` is done. */
export interface BinlogPosition {
  /** The set of transactions seen, as the server writes it. */
  readonly gtidSet: string
  /** The transaction of them that came last; null where it is not known. */
  readonly last: LastTransaction | null
  /** For people and for metrics; resuming goes by the GTID set. */
  readonly file: string
  readonly pos: number
}

/** Proves a history: another one has another commit time, whatever it calls its transactions. */
export interface LastTransaction {
  readonly gtid: string
  /** Unix microseconds. */
  readonly committedAt: number
}

export type BinlogItem =
  | { readonly kind: 'change'; readonly event: ChangeEnvelope }
  /**
   * A transaction ended: all its changes came before. The only point where capture may resume.
   * `position` writes the GTID set out, which is expensive and seldom needed; its answer is right until
   * the next commit comes.
   */
  | { readonly kind: 'commit'; readonly gtid: string; readonly position: () => BinlogPosition }

/** Where a source puts what it reads. */
export interface BinlogSink {
  /** Always takes the item. Returns a promise when it is full: read no more until that resolves. */
  add(item: BinlogItem): Promise<void> | null
}

/**
 * Committed row changes of the captured tables in commit order.
 *
 * Errors: `OperatorError` where an operator must act (binlog purged past the position, another
 * server or history, not ROW/FULL), `store_unavailable` where a new `read` from the last
 * commit may work.
 */
export interface BinlogSource {
  /**
   * Reads from a position into the sink, once the log has shown that it holds `last`. Resolves when the signal aborts, rejects when it cannot read
   * on; the sink gets nothing after either.
   *
   * Backpressure: the source holds nothing itself, so while the sink is full it stops reading.
   */
  read(from: BinlogPosition, epoch: number, sink: BinlogSink, signal: AbortSignal): Promise<void>
  /**
   * Resolves when readers of the database can see the transaction: the binlog is written a moment
   * before the commit is visible, and consumers of a change must be able to rely on reading it.
   * `store_unavailable` where that takes too long.
   */
  awaitVisible(gtid: string): Promise<void>
  /** Unique identity of the server's history, for noticing another server. */
  serverId(): Promise<string>
}
