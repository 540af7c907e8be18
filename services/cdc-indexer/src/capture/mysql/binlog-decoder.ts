import { OperatorError } from '@sns/shared/errors/operator-error'
import { type CapturedTable, isCapturedTable } from '@sns/shared/events/tables'
import type { AnyBinlogEvent, BinlogEventByTypeName, BinlogEventTypeName } from '@vlasky/zongji'
import { MOVE_ON } from '../ports/checkpoint-store'
import { bodyCursor, eventStart, type RawPacket, TABLE_MAP_EVENT } from './binlog-packet'
import { type TableLayout, tableLayout } from './binlog-rows'
import type { TransactionReader } from './binlog-transactions'
import { primaryKeyProblem } from './primary-key'
import type { LoggedQuery } from './query-event'
import type { ByteCursor } from './values/byte-cursor'
import { isOpaque } from './values/column'
import { cellReader, type DecodingOf } from './values/column-reader'
import { type ReadableColumn, readRows, readTableId } from './values/rows-event'
import { readColumns, readTableName } from './values/table-map'

/** Events that the driver must hand over; tables and their rows are read here, the rest of the log is skipped unread. */
export const DECODED_EVENTS = ['anonymousgtid', 'gtid', 'query', 'xaprepare', 'xid']

/** Of a rows event that only ends a statement. */
const NO_TABLE = 2 ** 48 - 1

/** A captured table as the table map at hand describes it. */
interface MappedTable {
  readonly layout: TableLayout
  readonly columns: readonly ReadableColumn[]
}

export interface BinlogDecoderOptions {
  readonly reader: TransactionReader
  readonly database: string
  readonly decodingOf: DecodingOf
  /** Whether events end in a checksum. */
  readonly hasChecksum: () => boolean
  /** The exact commit time in the GTID event at hand (Unix microseconds); null: whole seconds must do. */
  readonly committedAt: () => number | null
  /** The statement in the Query event at hand. */
  readonly query: () => LoggedQuery
}

/** Turns the driver's events into calls of a `TransactionReader`. May throw an `OperatorError`. */
export function createBinlogDecoder({
  reader,
  database,
  decodingOf,
  hasChecksum,
  committedAt,
  query,
}: BinlogDecoderOptions) {
  /** By the id that the log gives them; null: not captured, or passed over. */
  const tables = new Map<number, MappedTable | null>()

  function tableMap(body: ByteCursor) {
    const { id, schema, table } = readTableName(body)
    const isCaptured = schema === database && isCapturedTable(table)
    tables.set(id, isCaptured ? mappedTable(table, body) : null)
  }

  function mappedTable(table: CapturedTable, body: ByteCursor): MappedTable | null {
    const found = readColumns(body)
    const problem = found
      ? primaryKeyProblem(table, found.key)
      : `changes of ${table} were logged without column names; set binlog_row_metadata=FULL`
    if (!found || problem !== null) {
      reader.unread(table, problem ?? '')
      return null
    }
    return {
      layout: tableLayout(
        table,
        found.columns.map((column) => ({ ...column, isOpaque: isOpaque(column) })),
      ),
      columns: found.columns.map((column) => ({
        name: column.name,
        read: cellReader(column, decodingOf),
      })),
    }
  }

  function rows(eventType: number, body: ByteCursor, pos: number) {
    const id = readTableId(body)
    const mapped = tables.get(id)
    if (mapped === null || id === NO_TABLE) return
    if (!mapped) throw new OperatorError('a rows event came without its table map; restart capture')
    const { layout, columns } = mapped
    const images = readRows(eventType, body, columns)
    if (!images) {
      return reader.unread(
        layout.table,
        `a change of ${layout.table} has only some of its columns; set binlog_row_image=FULL for every session`,
      )
    }
    reader.rows({ layout, rows: images, pos })
  }

  /** Of table maps and rows events. */
  function decodeRows(eventType: number, packet: RawPacket): void {
    const body = bodyCursor(packet, hasChecksum())
    if (eventType === TABLE_MAP_EVENT) tableMap(body)
    else rows(eventType, body, eventStart(packet))
  }

  /** Only sessions that ask for partial JSON write such events, and then for each update. */
  function partialRows(tableId: number) {
    const mapped = tables.get(tableId)
    if (!mapped) return
    reader.unread(
      mapped.layout.table,
      `an update of ${mapped.layout.table} was logged by a session with binlog_row_value_options=PARTIAL_JSON; set it to '' for every session that changes the captured tables`,
    )
  }

  /** The driver would take the text of any session for UTF-8, and shows no `LOAD DATA`. */
  function statement(logged: LoggedQuery) {
    reader.statement(logged.sql, logged.schema, logged.endPos, logged)
  }

  function decode(event: AnyBinlogEvent): void {
    if (is(event, 'Query')) {
      statement(query())
    } else if (is(event, 'Xid')) {
      reader.commit(event.nextPosition)
    } else if (is(event, 'Gtid')) {
      reader.begin(event.gtid, committedAt() ?? event.timestamp * 1_000)
    } else if (is(event, 'XaPrepare')) {
      reader.prepared(event.nextPosition)
    } else if (is(event, 'AnonymousGtid')) {
      throw new OperatorError(
        `the binlog has a transaction without a GTID; set gtid_mode=ON, and ${MOVE_ON}`,
      )
    }
  }

  return { decode, decodeRows, partialRows, rotate: reader.rotate, statement }
}

function is<Name extends BinlogEventTypeName>(
  event: AnyBinlogEvent,
  name: Name,
): event is BinlogEventByTypeName<Name> {
  return event.getTypeName() === name
}
