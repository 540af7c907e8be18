/**
 * Whose transactions the records may be of that come without a sequence, as Debezium's do, and from which sequence on
 * those are counted. The database remembers each source (a server, a group, either of them with a tag) that was met.
 *
 * Errors of both: `store_unavailable`; `OperatorError` where the database's server has not executed the transaction, and
 * its source is none that was met before.
 */
export interface LogSources {
  /** Resolves where the transaction's source is known, or the database's server has executed the transaction. */
  recognize(gtid: string): Promise<void>
  /**
   * A sequence above all that a record ever had, of capture or of those who count: whoever asked counts on from there.
   * Recognizes the transaction first.
   */
  leap(gtid: string): Promise<number>
}
