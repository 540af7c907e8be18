import { OperatorError } from '@sns/shared/errors/operator-error'
import { type CapturedTable, capturedTables } from '@sns/shared/events/tables'
import { GtidSet } from '@vlasky/zongji'
import { type MysqlSession, textCell } from './session'

/** Rows of the tables changed in a way that capture cannot read: their snapshot has to be asked for before it can go on. */
export class UnreadTablesError extends OperatorError {
  constructor(
    what: string,
    readonly tables: readonly CapturedTable[],
  ) {
    super(
      `${what}; run "${commandFor(tables)}", and start cdc-indexer: it has the rows captured anew, removes from the index what has none, and has timelines rebuilt`,
    )
  }
}

function commandFor(tables: readonly CapturedTable[]): string {
  return tables.length === capturedTables.length ? 'snapshot' : `snapshot ${tables.join(' ')}`
}

/** Up to which transactions a snapshot that was asked for stands for what cannot be read of a table. */
export interface SnapshotCover {
  has(table: CapturedTable, gtid: string): boolean
}

export const NO_COVER: SnapshotCover = { has: () => false }

export async function readSnapshotCover(session: MysqlSession): Promise<SnapshotCover> {
  const rows = await session.query(
    'SELECT table_name, covers FROM capture_snapshots WHERE covers IS NOT NULL',
  )
  const sets = new Map(
    rows.map((row) => [textCell(row, 'table_name'), GtidSet.parse(textCell(row, 'covers'))]),
  )
  return { has: (table, gtid) => sets.get(table)?.contains(gtid) ?? false }
}

/** What was read for snapshots of the tables so far is no longer enough: the next request begins anew. */
export async function markUnread(
  session: MysqlSession,
  tables: readonly CapturedTable[],
): Promise<void> {
  const now = Date.now()
  for (const table of tables) {
    await session.update(
      `INSERT INTO capture_snapshots
       (table_name, request, state, after_key, end_key, done_rows, total_rows, marks, problem, covers, updated_at)
       VALUES (?, ?, 'unread', NULL, NULL, 0, 0, 0, NULL, NULL, ?)
       ON DUPLICATE KEY UPDATE state = 'unread', problem = NULL, covers = NULL, updated_at = ?`,
      [table, now, now, now],
    )
  }
}
