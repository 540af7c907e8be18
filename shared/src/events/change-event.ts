import { numberOf } from './gtid'
import { CAPTURED_TABLES, type CapturedTable, type RowOf } from './tables'

/** A value that its reader could not make sense of: its bytes in base64, and why. */
export interface UnreadableCell {
  readonly unreadable: string
  readonly problem: string
}

/**
 * A number, a text or null; the digits of a BIGINT that no number holds exactly (`JSON.rawJSON`); or what could not be
 * read.
 */
export type Cell = number | string | null | RawJSON | UnreadableCell

/** A row as its source has it. */
export type Row = Readonly<Record<string, Cell>>

export const OPERATIONS = ['c', 'u', 'd', 'r'] as const
export type Operation = (typeof OPERATIONS)[number]

/**
 * A change as it travels: Debezium's envelope, so that Debezium can stand in for our capture and any
 * Kafka tool can read us. Its rows are the source's, with columns that nobody reads.
 */
export interface ChangeEnvelope {
  readonly before: Row | null
  readonly after: Row | null
  readonly source: ChangeSource
  readonly op: Operation
  /**
   * Unix milliseconds; Debezium's own clock. Our capture repeats the commit's time, so that a replay
   * is the same to the byte.
   */
  readonly ts_ms: number
  /** The block that Debezium writes with `provide.transaction.metadata=true`. */
  readonly transaction: { readonly id: string; readonly total_order: number } | null
}

export interface ChangeSource<T extends CapturedTable = CapturedTable> {
  readonly connector: 'mysql' | 'sqlite'
  readonly db: string
  readonly table: T
  /** When the source committed the change, Unix milliseconds. */
  readonly ts_ms: number
  /** `uuid:sequence` of the transaction; `sqlite:sequence` for the embedded change log. */
  readonly gtid: string
  readonly file: string
  readonly pos: number
  /** Index of the row within its binlog event. */
  readonly row: number
  readonly snapshot: 'true' | 'false'
  /**
   * Which history of the source this is: grows when an operator moves capture behind a restored backup. Null in
   * Debezium's records, which know none.
   */
  readonly epoch: number | null
  /**
   * Which of all transactions of the log it is, whichever server wrote it: grows along the log. Absent where one server
   * writes all of them, as in the embedded change log and in the records of earlier releases: there it is the GTID's
   * number, counted on from the epoch. Debezium's records have none: consumers that need it count them.
   */
  readonly sequence?: number
}

/**
 * A change as its consumers get it: its rows have been checked against their table, so that nobody
 * needs to look again. The row that a change left behind is there, and of a delete the row that went.
 */
export type ChangeEvent<T extends CapturedTable = CapturedTable> = { [K in T]: Change<K> }[T]

type Change<T extends CapturedTable> = Pick<ChangeEnvelope, 'ts_ms' | 'transaction'> & {
  readonly source: ChangeSource<T>
} & (
    | {
        readonly op: Exclude<Operation, 'd'>
        readonly before: RowOf<T> | null
        readonly after: RowOf<T>
      }
    | { readonly op: 'd'; readonly before: RowOf<T>; readonly after: null }
  )

export function isChangeOf<T extends CapturedTable, Event extends ChangeEvent>(
  table: T,
  event: Event,
): event is Extract<Event, { readonly source: { readonly table: T } }> {
  return event.source.table === table
}

/** The primary key of a change as the record key: a JSON object with the columns in key order. */
export function changeKey(table: CapturedTable, row: Row): string {
  let key = ''
  for (const column of CAPTURED_TABLES[table].key) {
    key += `${key === '' ? '{' : ','}"${column}":${JSON.stringify(row[column])}`
  }
  return `${key}}`
}

/** Where in the source's log a transaction is. */
export type LogPlace = Pick<ChangeSource, 'gtid' | 'epoch' | 'sequence'>

/** Where in the source's log a row was left as it is. */
interface Versioned {
  readonly source: LogPlace
  readonly transaction: Pick<NonNullable<ChangeEnvelope['transaction']>, 'total_order'> | null
}

const ORDINAL_BITS = 18n
const ORDINAL_MAX = (1 << Number(ORDINAL_BITS)) - 1

/** The highest sequence that a version has room for. */
export const MAX_SEQUENCE = 2 ** 45 - 1
/** How many sequences an epoch has. */
export const EPOCH_SEQUENCES = 2 ** 40
/** More transactions than any count has given before it is written down how far it is: what counts on above leaps. */
export const SEQUENCE_LEAP = 2 ** 32

/** The epoch that a sequence belongs to. */
export function epochOf(sequence: number): number {
  return Math.floor(sequence / EPOCH_SEQUENCES)
}

/**
 * The version of the row that a change left behind, as an unsigned 63-bit integer that grows with
 * the source's log: 45 bits of sequence, 18 of ordinal in the transaction. Later
 * ordinals than 2^18 - 1 share the last; the log delivers those in order, so equal versions may
 * overwrite (Elasticsearch `external_gte`).
 */
export function documentVersion({ source, transaction }: Versioned): bigint {
  const sequence = sequenceOf(source)
  const ordinal = BigInt(Math.min(transaction?.total_order ?? 0, ORDINAL_MAX))
  return (BigInt(sequence) << ORDINAL_BITS) | ordinal
}

/** Which of all transactions of the log it is. */
export function sequenceOf({ gtid, epoch, sequence }: LogPlace): number {
  return sequence ?? (epoch ?? 0) * EPOCH_SEQUENCES + numberOf(gtid)
}
