import { CAPTURED_TABLES, type CapturedTable } from './tables'

/** A row image: column names as in the table; BIGINTs as exact numbers, times as Unix milliseconds. */
export type Row = Readonly<Record<string, number | string | null>>

export type Operation = 'c' | 'u' | 'd' | 'r'

/**
 * The Debezium envelope, so that Debezium can stand in for our capture and any Kafka tool can read
 * us. `transaction` is the block Debezium writes with `provide.transaction.metadata=true`.
 */
export interface ChangeEvent {
  readonly before: Row | null
  readonly after: Row | null
  readonly source: ChangeSource
  readonly op: Operation
  /**
   * Unix milliseconds; Debezium's own clock. Our capture repeats the commit's time, so that a replay
   * is the same to the byte.
   */
  readonly ts_ms: number
  readonly transaction: { readonly id: string; readonly total_order: number } | null
}

export interface ChangeSource {
  readonly connector: 'mysql' | 'sqlite'
  readonly db: string
  readonly table: CapturedTable
  /** When the source committed the change, Unix milliseconds. */
  readonly ts_ms: number
  /** `uuid:sequence` of the transaction; `sqlite:sequence` for the embedded change log. */
  readonly gtid: string
  readonly file: string
  readonly pos: number
  /** Index of the row within its binlog event. */
  readonly row: number
  readonly snapshot: 'true' | 'false'
  /** Which history of the source this is: grows when an operator moves capture to another server. */
  readonly epoch: number
}

/** The primary key of a change as the record key: a JSON object with the columns in key order. */
export function changeKey(table: CapturedTable, row: Row): string {
  return JSON.stringify(
    Object.fromEntries(CAPTURED_TABLES[table].map((column) => [column, row[column]])),
  )
}

/** The topic of a table's changes. */
export function topicName(prefix: string, database: string, table: CapturedTable): string {
  return `${prefix}.${database}.${table}`
}

const ORDINAL_BITS = 18n
const SEQUENCE_BITS = 40n
const ORDINAL_MAX = (1 << Number(ORDINAL_BITS)) - 1

/**
 * The version of the row that an event left behind, as an unsigned 63-bit integer that grows with
 * the source's log: 5 bits of epoch, 40 of GTID sequence, 18 of ordinal in the transaction. Later
 * ordinals than 2^18 - 1 share the last; the log delivers those in order, so equal versions may
 * overwrite (Elasticsearch `external_gte`).
 */
export function documentVersion(event: ChangeEvent): bigint {
  const sequence = BigInt(event.source.gtid.slice(event.source.gtid.lastIndexOf(':') + 1))
  const ordinal = BigInt(Math.min(event.transaction?.total_order ?? 0, ORDINAL_MAX))
  const epoch = BigInt(event.source.epoch ?? 0)
  return (((epoch << SEQUENCE_BITS) | sequence) << ORDINAL_BITS) | ordinal
}
