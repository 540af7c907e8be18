import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Row } from '@sns/shared/events/change-event'
import { CAPTURED_TABLES, type CapturedTable, isCapturedTable } from '@sns/shared/events/tables'
import type { CaptureLease } from '../ports/checkpoint-store'
import type { RowKey, Snapshot, SnapshotStore } from '../ports/snapshot-store'
import { refuseInexact, type TableLayout, tableLayout, toRow } from './binlog-rows'
import { CHECKPOINT_NAME } from './checkpoint-store'
import { toCaptureError } from './errors'
import { primaryKeyProblem } from './primary-key'
import {
  type Committed,
  createMysqlSession,
  type MysqlServer,
  numberCell,
  type SessionRow,
  type SqlValue,
  textCell,
} from './session'
import { TYPE } from './values/column'
import type { RowImage } from './values/rows-event'
import {
  isOpaqueType,
  type SelectedColumn,
  selectedCell,
  selectionOf,
} from './values/selected-cell'

/** A chunk that takes longer is no chunk. */
const READ_TIMEOUT_MS = 30_000

/** Snapshots in the table `capture_snapshots`. Everything is written under the fence of the lease. */
export function createMysqlSnapshotStore(server: MysqlServer): SnapshotStore & AsyncDisposable {
  const session = createMysqlSession(server)

  async function attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      throw toCaptureError(error)
    }
  }

  /** The table's columns as they are now, and how each is selected so that it reads as in the binlog. */
  async function readLayout(
    table: CapturedTable,
  ): Promise<{ readonly layout: TableLayout; readonly columns: readonly SelectedColumn[] }> {
    const found = await session.query(
      `SELECT column_name AS name, data_type AS type, column_key AS part FROM information_schema.columns
       WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
      [server.database, table],
    )
    const columns = found.map((row) => ({
      name: textCell(row, 'name'),
      type: textCell(row, 'type'),
    }))
    const again = 'run snapshot again'
    const layout = tableLayout(
      table,
      columns.map(({ name, type }) => ({
        name,
        type: type === 'bigint' ? TYPE.LONGLONG : 0,
        isOpaque: isOpaqueType(type),
      })),
      again,
    )
    const key = found.filter((row) => textCell(row, 'part') === 'PRI')
    const problem = primaryKeyProblem(
      table,
      key.map((row) => textCell(row, 'name')),
    )
    if (problem) throw new OperatorError(`${problem}, and ${again}`)
    return { layout, columns }
  }

  /** Nothing is matched where the snapshot is no longer wanted or the lease is not the latest. */
  async function save(
    { fence }: CaptureLease,
    { table, request, after, rows }: Snapshot,
    state: 'running' | 'published' | 'failed',
    problem: string | null,
  ): Promise<Committed> {
    return session.commit(
      `UPDATE capture_snapshots JOIN capture_checkpoint ON name = ? AND fence = ?
       SET state = ?, problem = ?, after_key = ?, done_rows = ?, marks = marks + 1,
         capture_snapshots.updated_at = ?
       WHERE table_name = ? AND request = ? AND state = 'running'`,
      [
        CHECKPOINT_NAME,
        fence,
        state,
        problem,
        after && JSON.stringify(after),
        rows,
        Date.now(),
        table,
        request,
      ],
    )
  }

  return {
    database: server.database,

    next: () =>
      attempt(async () => {
        const [row] = await session.query(
          `SELECT table_name, request, after_key, end_key, done_rows FROM capture_snapshots
           WHERE state = 'running' ORDER BY request, table_name LIMIT 1`,
        )
        return row ? snapshotOf(row) : null
      }),

    rows: (snapshot, limit) =>
      attempt(async () => {
        const { layout, columns } = await readLayout(snapshot.table)
        const { sql, values } = selectRows(snapshot, columns.map(selectionOf), limit)
        const rows = await session.query(sql, values, READ_TIMEOUT_MS)
        return rows.map((row): Row => toRow(layout, imageOf(row, columns), refuseInexact))
      }),

    mark: (lease, snapshot) =>
      attempt(async () => {
        const { matched, gtid } = await save(lease, snapshot, 'running', null)
        if (matched === 0) return null
        if (gtid === null) throw new Error('the server does not say which transaction it committed')
        return gtid
      }),

    use: (serverId) => session.use(serverId),

    finish: (lease, snapshot) =>
      attempt(async () => {
        await save(lease, snapshot, 'published', null)
      }),

    fail: (lease, snapshot, problem) =>
      attempt(async () => {
        await save(lease, snapshot, 'failed', problem)
      }),

    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

function imageOf(row: SessionRow, columns: readonly SelectedColumn[]): RowImage {
  return Object.fromEntries(
    columns.map((column) => [column.name, selectedCell(column, row[column.name])]),
  )
}

function snapshotOf(row: SessionRow): Snapshot {
  const table = textCell(row, 'table_name')
  if (!isCapturedTable(table)) {
    throw new OperatorError(
      `capture_snapshots names ${table}, which is not captured; delete that row`,
    )
  }
  return {
    table,
    request: numberCell(row, 'request'),
    after: row.after_key === null ? null : readKey(table, textCell(row, 'after_key')),
    end: readKey(table, textCell(row, 'end_key')),
    rows: numberCell(row, 'done_rows'),
  }
}

function readKey(table: CapturedTable, text: string): RowKey {
  const key: unknown = JSON.parse(text)
  const columns = CAPTURED_TABLES[table].key.length
  const isKey = (value: unknown): value is RowKey =>
    Array.isArray(value) && value.length === columns && value.every(Number.isSafeInteger)
  if (isKey(key)) return key
  throw new OperatorError(`capture_snapshots has a damaged key of ${table}; delete that row`)
}

/** The rows behind `after`, up to `end`, in an order that the primary key gives without sorting. */
export function selectRows(
  { table, after, end }: Pick<Snapshot, 'table' | 'after' | 'end'>,
  select: readonly string[],
  limit: number,
): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const columns = CAPTURED_TABLES[table].key
  const bounds = [
    ...(after ? [beyond(columns, after, '>', '>')] : []),
    beyond(columns, end, '<', '<='),
  ]
  return {
    sql: `SELECT ${select.join(', ')} FROM ${table} FORCE INDEX (PRIMARY)
      WHERE ${bounds.map(({ sql }) => `(${sql})`).join(' AND ')}
      ORDER BY ${columns.join(', ')} LIMIT ${limit}`,
    values: bounds.flatMap(({ values }) => values),
  }
}

/** Row comparison written out: MySQL reads a range of the key for it, and a whole table for `(a, b) > (?, ?)`. */
function beyond(
  columns: readonly string[],
  key: RowKey,
  strict: '>' | '<',
  last: '>' | '<=',
): { readonly sql: string; readonly values: readonly number[] } {
  const [column = '', ...rest] = columns
  const [value = 0, ...deeper] = key
  if (rest.length === 0) return { sql: `${column} ${last} ?`, values: [value] }
  const inner = beyond(rest, deeper, strict, last)
  return {
    sql: `${column} ${strict} ? OR (${column} = ? AND (${inner.sql}))`,
    values: [value, value, ...inner.values],
  }
}
