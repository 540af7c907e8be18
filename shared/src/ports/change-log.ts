import type { ChangeEvent } from '../events/change-event'
import type { CapturedTable } from '../events/tables'

export interface ConsumeOptions<T extends CapturedTable = CapturedTable> {
  /** Consumers of one group share the work; each group sees every change. */
  readonly group: string
  readonly tables: readonly T[]
  /**
   * Whether each event must have a sequence that grows along the log. Records of Debezium's, which bring none, are
   * counted then; before one of a source that is not known (`LogSources`) the group stands still.
   */
  readonly needsSequence?: boolean
  /** The most events handed over at once. */
  readonly maxBatch: number
  /**
   * Called with events of one or more keys, in log order per key; never twice at once for the same
   * key. When it resolves, the batch is done; when it throws, the same events come again after a
   * back-off, until the signal stops the consumer. Nothing is ever skipped: before a record that is no change,
   * or whose rows do not fit their table, the group stands still and `onRetry` is told why. Only what nobody can read,
   * since an integer of its row is past what a number holds exactly, is put aside, and the group goes on.
   */
  readonly handle: (events: readonly ChangeEvent<T>[], signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
  /** Told when the consumer gets its place in the group and when it loses it: without, it gets nothing. */
  readonly onMembership?: (isMember: boolean) => void
  /** Told of each change that was put aside, and why: it is a dead letter where the log has them. */
  readonly onPutAside?: (reason: string) => void
  /** Told of each failed attempt, and of how long ago the first one of the same events was. */
  readonly onRetry?: (error: unknown, attempt: number, failingMs: number) => void
}

/** Where a log ended: of each of its partitions that holds anything, the place after the last change. */
export type LogEnd = ReadonlyMap<string, number>

/**
 * The log of committed changes, read by groups. A new group starts at the oldest change that the log
 * still holds. Delivery is at least once: a group's position moves past an event only after `handle`
 * has resolved for it, so a crash repeats events and loses none. Errors, of all but
 * `consume`: `store_unavailable`.
 */
export interface ChangeLog {
  /**
   * Runs until the signal aborts, then finishes the batch in hand, commits it and resolves. Goes on by
   * itself when the log's server goes away and comes back.
   */
  consume<T extends CapturedTable>(options: ConsumeOptions<T>): Promise<void>
  /** How many changes of `tables` the group has yet to finish. */
  backlog(group: string, tables: readonly CapturedTable[]): Promise<number>
  /** Where the log of `tables` ends now. */
  end(tables: readonly CapturedTable[]): Promise<LogEnd>
  /** Whether the group has finished every change of `tables` before `end`. */
  hasFinished(group: string, tables: readonly CapturedTable[], end: LogEnd): Promise<boolean>
}
