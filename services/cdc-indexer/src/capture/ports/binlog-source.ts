import type { ChangeEnvelope } from '@sns/shared/events/change-event'
import type { PublishedTransaction } from './change-publisher'

/** Where capture resumes: every transaction in `gtidSet` is done. */
export interface BinlogPosition {
  /** The set of transactions seen, as the server writes it. */
  readonly gtidSet: string
  /** The transaction of them that came last; null where it is not known. */
  readonly last: LastTransaction | null
  /** How its transactions are counted. */
  readonly epochs: SourceEpochs
  /** For people and for metrics; resuming goes by the GTID set. */
  readonly file: string
  readonly pos: number
}

/**
 * How the transactions of a log are counted, whoever wrote them. Each source of GTIDs (a server, a group, either of
 * them with a tag) has numbers of its own; what is added to those while the source writes, its epoch's start, makes
 * one count of them that grows with the log. Kept in the checkpoint, so that a replay counts alike.
 */
export interface SourceEpochs {
  /** The count of the last transaction. */
  readonly last: number
  /** What is added to the numbers of each source that has written. */
  readonly starts: Readonly<Record<string, number>>
}

/**
 * Proves a history: another one has another commit time, whatever it calls its transactions. The time is that of the
 * server where it was committed first, so that it is the same in the logs of all others.
 */
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
  | {
      readonly kind: 'commit'
      readonly gtid: string
      /** The highest sequence so far. */
      readonly sequence: number
      readonly position: () => BinlogPosition
    }

/** The one server that everything of a session is asked of. */
export interface SessionServer {
  readonly id: string
  /** Whether the position was saved there; false: another server has become the primary since. */
  readonly isKnown: boolean
  /** What was published since the position was saved: it must be there too, and has the same sequences. */
  readonly published: readonly PublishedTransaction[]
}

/** Where a source puts what it reads. */
export interface BinlogSink {
  /** Always takes the item. Returns a promise when it is full: read no more until that resolves. */
  add(item: BinlogItem): Promise<void> | null
}

/**
 * Committed row changes of the captured tables in commit order.
 *
 * Errors: `OperatorError` where an operator must act (binlog purged past the position, a history
 * that lacks some of it, not ROW/FULL), `store_unavailable` where a new `read` from the last
 * commit may work, also where another server than the session's answers.
 */
export interface BinlogSource {
  /**
   * Reads from a position into the sink, once the log has shown that it holds `last`. Resolves when the signal aborts, rejects when it cannot read
   * on; the sink gets nothing after either.
   *
   * Backpressure: the source holds nothing itself, so while the sink is full it stops reading.
   */
  read(
    from: BinlogPosition,
    server: SessionServer,
    sink: BinlogSink,
    signal: AbortSignal,
  ): Promise<void>
  /**
   * Resolves when readers of the database can see the transaction: the binlog is written a moment
   * before the commit is visible, and consumers of a change must be able to rely on reading it.
   * `store_unavailable` where that takes too long.
   */
  awaitVisible(gtid: string): Promise<void>
}
