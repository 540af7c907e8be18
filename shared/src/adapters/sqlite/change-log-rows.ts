import type { Kysely, Selectable } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import type { ChangeEvent, Row } from '../../contract/change-event'
import { type CapturedTable, isCapturedTable } from '../../contract/tables'
import type { ChangeLogTable, Database } from '../sql/schema'

/** What one look at the log brought. */
interface LogSlice {
  readonly events: readonly ChangeEvent[]
  /** Everything of the asked tables up to here is in `events`. */
  readonly upTo: number
  /** Whether the log goes on after `upTo`. */
  readonly isMore: boolean
}

/** Rows looked at per statement: SQLite answers synchronously, and other tables' rows are many. */
const WINDOW = 5_000

/**
 * The next changes after `after`, at most `limit`. One writer at a time makes the sequence grow in
 * commit order without gaps to be filled later, so all up to the highest seen is there to be read.
 */
export async function readLog(
  db: Kysely<Database>,
  after: number,
  tables: readonly CapturedTable[],
  limit: number,
): Promise<LogSlice> {
  const { first, last } = await logBounds(db)
  if (last <= after) return { events: [], upTo: after, isMore: false }
  const start = Math.max(after, first - 1)
  const end = Math.min(start + WINDOW, last)
  const rows = await db
    .selectFrom('change_log')
    .selectAll()
    .where('seq', '>', start)
    .where('seq', '<=', end)
    .where('table_name', 'in', [...tables])
    .orderBy('seq')
    .limit(limit)
    .execute()
  const upTo = rows.length === limit ? (rows.at(-1)?.seq ?? end) : end
  return { events: rows.map(toEvent), upTo, isMore: upTo < last }
}

/** How many rows of the tables come after `after`, counted in steps that let others run between. */
export async function countLog(
  db: Kysely<Database>,
  after: number,
  tables: readonly CapturedTable[],
): Promise<number> {
  const { first, last } = await logBounds(db)
  let count = 0
  for (let from = Math.max(after, first - 1); from < last; from += 10 * WINDOW) {
    const { rows } = await db
      .selectFrom('change_log')
      .select((of) => of.fn.countAll<number>().as('rows'))
      .where('seq', '>', from)
      .where('seq', '<=', Math.min(from + 10 * WINDOW, last))
      .where('table_name', 'in', [...tables])
      .executeTakeFirstOrThrow()
    count += rows
    await yieldToEventLoop()
  }
  return count
}

/** Two look-ups by row id; `min` and `max` in one statement would read the whole table. */
async function logBounds(db: Kysely<Database>) {
  const end = (direction: 'asc' | 'desc') =>
    db.selectFrom('change_log').select('seq').orderBy('seq', direction).limit(1).executeTakeFirst()
  const [first, last] = [await end('asc'), await end('desc')]
  return { first: first?.seq ?? 0, last: last?.seq ?? 0 }
}

function toEvent(row: Selectable<ChangeLogTable>): ChangeEvent {
  if (!isCapturedTable(row.table_name)) throw new TypeError(`no captured table: ${row.table_name}`)
  return {
    before: image(row.before),
    after: image(row.after),
    source: {
      connector: 'sqlite',
      db: 'main',
      table: row.table_name,
      ts_ms: row.ts_ms,
      gtid: `sqlite:${row.seq}`,
      file: 'change_log',
      pos: row.seq,
      row: 0,
      snapshot: 'false',
      epoch: 0,
    },
    op: row.op,
    ts_ms: row.ts_ms,
    transaction: null,
  }
}

function image(json: string | null): Row | null {
  if (json === null) return null
  const row: Row = JSON.parse(json)
  return row
}
