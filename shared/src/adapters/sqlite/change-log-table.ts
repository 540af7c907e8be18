import type { Kysely, Selectable } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import { asError } from '../../errors/driver-error'
import type { ChangeEvent } from '../../events/change-event'
import { changeOf } from '../../events/change-record'
import { type CapturedTable, decodeRow, UnreadableRowError } from '../../events/tables'
import type { ChangeLogTable, Database } from '../sql/schema'

/** What one look at the log brought. */
interface LogSlice<T extends CapturedTable> {
  readonly events: readonly ChangeEvent<T>[]
  /** What cannot be read, of changes that are not in `events`. */
  readonly unreadable: readonly string[]
  /** Everything of the asked tables up to here is in `events`. */
  readonly upTo: number
  /** Whether the log goes on after `upTo`. */
  readonly isMore: boolean
}

/** Rows looked at per statement: SQLite answers synchronously, and other tables' rows are many. */
const WINDOW = 5_000
/** Rows looked at, and deleted, per step. */
const PRUNE_STEP = 2_000

/**
 * The next changes after `after`, at most `limit`. One writer at a time makes the sequence grow in
 * commit order without gaps to be filled later, so all up to the highest seen is there to be read.
 */
export async function readLog<T extends CapturedTable>(
  db: Kysely<Database>,
  after: number,
  tables: readonly T[],
  limit: number,
): Promise<LogSlice<T>> {
  const { first, last } = await logBounds(db)
  if (last <= after) return { events: [], unreadable: [], upTo: after, isMore: false }
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
  const events: ChangeEvent<T>[] = []
  const unreadable: string[] = []
  for (const [index, row] of rows.entries()) {
    try {
      events.push(toEvent(row, tables))
    } catch (error) {
      if (error instanceof UnreadableRowError) {
        unreadable.push(
          `change at seq ${row.seq} of change_log, ${row.table_name}: ${error.message}`,
        )
        continue
      }
      const before = rows[index - 1]
      // What comes before it is handed out first.
      if (before) return { events, unreadable, upTo: before.seq, isMore: true }
      throw new Error(
        `malformed change at seq ${row.seq} of change_log: ${asError(error).message}; the consumer waits there: correct that row`,
        { cause: error },
      )
    }
  }
  const upTo = rows.length === limit ? (rows.at(-1)?.seq ?? end) : end
  return { events, unreadable, upTo, isMore: upTo < last }
}

/** How many rows of the tables come after `after`, up to `upTo`, counted in steps that let others run between. */
export async function countLog(
  db: Kysely<Database>,
  after: number,
  tables: readonly CapturedTable[],
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const bounds = await logBounds(db)
  const first = bounds.first
  const last = Math.min(bounds.last, upTo)
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

/** Registers the groups that are new, at the start of the log: rows that they have not finished are kept. */
export async function addGroups(db: Kysely<Database>, groups: readonly string[]): Promise<void> {
  await db
    .insertInto('change_offsets')
    .values(groups.map((group_name) => ({ group_name, seq: 0 })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The position up to which the group has finished everything. */
export async function finishedBy(db: Kysely<Database>, group: string): Promise<number> {
  const row = await db
    .selectFrom('change_offsets')
    .select('seq')
    .where('group_name', '=', group)
    .executeTakeFirst()
  return row?.seq ?? 0
}

/** Saves a group's position; an older one never replaces a newer one. */
export async function saveFinished(
  db: Kysely<Database>,
  group: string,
  seq: number,
): Promise<void> {
  await db
    .updateTable('change_offsets')
    .set({ seq })
    .where('group_name', '=', group)
    .where('seq', '<', seq)
    .execute()
}

/**
 * From now on these groups and no others hold back what is deleted from the log. Gives the names of the
 * groups that are forgotten with it: a setting that names them was changed. What they had yet to read is
 * still there for the new ones, which begin at the oldest row.
 */
export async function keepGroups(
  db: Kysely<Database>,
  groups: readonly string[],
): Promise<readonly string[]> {
  return db.transaction().execute(async (tx) => {
    const forgotten = await tx
      .deleteFrom('change_offsets')
      .where('group_name', 'not in', [...groups])
      .returning('group_name')
      .execute()
    await addGroups(tx, groups)
    return forgotten.map((row) => row.group_name)
  })
}

/** Unix milliseconds. */
interface Age {
  readonly now: number
  readonly before: number
}

/**
 * Deletes a bounded number of the oldest rows that every group has finished and that were written before
 * `before`; true if there may be more. A row is at least as old as those after it, whatever its own time
 * says: a clock may have been wrong.
 */
export async function pruneLog(db: Kysely<Database>, { now, before }: Age): Promise<boolean> {
  const { finished } = await db
    .selectFrom('change_offsets')
    .select((of) => of.fn.min<number | null>('seq').as('finished'))
    .executeTakeFirstOrThrow()
  if (!finished) return false
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('change_log')
      .select(['seq', 'ts_ms'])
      .where('seq', '>', after)
      .where('seq', '<=', finished)
      .orderBy('seq')
      .limit(PRUNE_STEP)
      .execute()
    const last = rows.findLast((row) => row.ts_ms < before)
    if (last) {
      await db.deleteFrom('change_log').where('seq', '<=', last.seq).execute()
      return rows.length === PRUNE_STEP
    }
    // Only times in the future are worth a look at what comes after them.
    if (rows.length < PRUNE_STEP || rows.some((row) => row.ts_ms <= now)) return false
    after = rows.at(-1)?.seq ?? finished
    await yieldToEventLoop()
  }
}

/** Two look-ups by row id: `min` and `max` in one statement would read the whole table. */
export async function logBounds(db: Kysely<Database>) {
  const end = (direction: 'asc' | 'desc') =>
    db.selectFrom('change_log').select('seq').orderBy('seq', direction).limit(1).executeTakeFirst()
  const [first, last] = [await end('asc'), await end('desc')]
  return { first: first?.seq ?? 0, last: last?.seq ?? 0 }
}

function toEvent<T extends CapturedTable>(
  { seq, table_name, op, before, after, ts_ms }: Selectable<ChangeLogTable>,
  tables: readonly T[],
): ChangeEvent<T> {
  const table = tables.find((each) => each === table_name)
  if (!table) throw new TypeError(`${table_name} was not asked for`)
  const rowOrNull = (json: string | null, what: string) =>
    json === null ? null : decodeRow(table, JSON.parse(json), what)
  return changeOf(op, rowOrNull(before, 'before'), rowOrNull(after, 'after'), {
    source: {
      connector: 'sqlite',
      db: 'main',
      table,
      ts_ms,
      gtid: `sqlite:${seq}`,
      file: 'change_log',
      pos: seq,
      row: 0,
      snapshot: 'false',
      epoch: 0,
    },
    ts_ms,
    transaction: null,
  })
}
