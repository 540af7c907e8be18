import { type Kysely, sql } from 'kysely'
import { OperatorError } from '../../errors/operator-error'
import { REPORT_TTL_MS } from '../../ports/freshness-fence'
import { traitsOf, transact } from './database'
import type { Database } from './schema'

type TableName = keyof Database

/** The tables that are moved, with their primary keys. A table is here or in `STAYING_TABLES`. */
export const MOVED_TABLES = {
  users: ['id'],
  accounts: ['user_id'],
  posts: ['id'],
  follows: ['follower_id', 'followee_id'],
  blocks: ['blocker_id', 'blocked_id'],
  mutes: ['muter_id', 'muted_id'],
  likes: ['user_id', 'post_id'],
  comments: ['id'],
  post_counts: ['post_id'],
  sessions: ['id'],
  refresh_tokens: ['hash'],
  resting_usernames: ['username'],
  account_deletions: ['user_id'],
  post_deletions: ['post_id'],
  idempotency_keys: ['user_id', 'idem_key'],
  merged_authors: ['author_id'],
  notifications: ['recipient_id', 'kind', 'actor_id', 'subject_id'],
  notification_marks: ['user_id'],
  post_tags: ['tag', 'post_id'],
  imported_notes: ['user_id', 'note'],
} as const satisfies Partial<Record<TableName, readonly string[]>>

export type MovedTable = keyof typeof MOVED_TABLES

/** What is of one place alone stays there, each with why. A new table that is in neither list does not compile. */
export const STAYING_TABLES: Readonly<Record<Exclude<TableName, MovedTable>, string>> = {
  capture_checkpoint: 'a place in the binlog of one server',
  log_sources: 'who wrote the binlog of one server',
  change_log: 'the embedded log, of which Kafka has nothing',
  change_offsets: 'places in the embedded log',
  imports: 'how far imports into one database have come',
  delivery_progress: 'how far the fan-out of one database has come',
  freshness_fence: 'who of the running processes may believe what they keep',
  freshness_processes: 'which processes run',
}
type Row = Record<string, never>

export interface TableCopyOptions {
  readonly signal: AbortSignal
  readonly onProgress: (table: MovedTable, done: number, total: number) => void
  /** Rows a transaction; other values only in tests. */
  readonly batch?: number
}

/** What a table holds, to be compared with its copy. */
export interface TableSum {
  readonly table: MovedTable
  readonly rows: number
  /** Of each column: of integers the sum (of each modulo a prime), of texts the sum of their lengths in code points. */
  readonly sums: Readonly<Record<string, number>>
}

/** The source of the row in `imports` that says that the tables are a copy that was begun: SHA-256 of `move-to-servers`. */
const MARK = new Bun.CryptoHasher('sha256').update('move-to-servers').digest('hex')
const BATCH = 1_000
/** Sums of remainders of so many rows are exact in both databases and here: 2^53 / 65,521 is 137 thousand million. */
const PRIME = 65_521

/**
 * Copies all rows of one database into another, which must be empty or hold what an earlier, interrupted call copied. Rows go in
 * the order of their keys, a batch a transaction, so the number of rows that are there says where to go on.
 * Nothing else may write to either. False where `signal` aborted. Errors: `OperatorError` where the target holds
 * anything else, or services run on it.
 */
export async function copyTables(
  from: Kysely<Database>,
  to: Kysely<Database>,
  { signal, onProgress, batch = BATCH }: TableCopyOptions,
): Promise<boolean> {
  await requireNobodyRuns(to)
  await beginCopy(to)
  for (const table of tables()) {
    const total = await countRows(from, table)
    let done = await countRows(to, table)
    if (done > total) throw new OperatorError(`${table} holds more rows than what is moved`)
    onProgress(table, done, total)
    let last: Row | null = null
    while (done < total) {
      if (signal.aborted) return false
      const rows: Row[] = await readRows(from, table, last ?? done, batch)
      last = rows.at(-1) ?? null
      await transact(to, (tx) => tx.insertInto(table).values(rows).execute())
      done += rows.length
      onProgress(table, done, total)
    }
  }
  return true
}

/** The tables with their sums. */
export async function sumTables(db: Kysely<Database>): Promise<readonly TableSum[]> {
  const sums: TableSum[] = []
  for (const table of tables()) sums.push(await sumTable(db, table))
  return sums
}

function tables(): readonly MovedTable[] {
  return Object.keys(MOVED_TABLES) as MovedTable[]
}

/** Each api says every few seconds that it runs. */
async function requireNobodyRuns(to: Kysely<Database>): Promise<void> {
  if (traitsOf(to).kind !== 'mysql') return
  const { rows } = await sql<{ process: string }>`select process from freshness_processes
    where seen_at > floor(unix_timestamp(now(3)) * 1000) - ${REPORT_TTL_MS}`.execute(to)
  if (rows.length === 0) return
  throw new OperatorError(
    'services run on the database of DATABASE_URL: stop them, wait ten seconds, and move then',
  )
}

async function beginCopy(to: Kysely<Database>): Promise<void> {
  const begun = await to
    .selectFrom('imports')
    .select('source')
    .where('source', '=', MARK)
    .executeTakeFirst()
  if (begun) return
  for (const table of tables()) {
    if ((await countRows(to, table)) === 0) continue
    throw new OperatorError(
      `the database of DATABASE_URL has ${table} already: move into an empty one`,
    )
  }
  const now = Date.now()
  await to
    .insertInto('imports')
    .values({
      source: MARK,
      started_at: now,
      users_done: 0,
      follows_done: 0,
      posts_done: 0,
      updated_at: now,
    })
    .execute()
}

async function countRows(db: Kysely<Database>, table: MovedTable): Promise<number> {
  const { rows } = await sql<{
    count: number
  }>`select count(*) as count from ${sql.table(table)}`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

/** The rows after one of them, or after so many: counting past those takes a walk over them all. */
async function readRows(
  db: Kysely<Database>,
  table: MovedTable,
  after: Row | number,
  limit: number,
): Promise<Row[]> {
  const columns: readonly string[] = MOVED_TABLES[table]
  const key = sql.join(columns.map((column) => sql.ref(column)))
  const [where, offset] =
    typeof after === 'number'
      ? [sql``, after]
      : [sql`where (${key}) > (${sql.join(columns.map((column) => after[column]))})`, 0]
  const { rows } = await sql<Row>`
    select * from ${sql.table(table)} ${where} order by ${key} limit ${limit} offset ${offset}`.execute(
    db,
  )
  return rows
}

async function sumTable(db: Kysely<Database>, table: MovedTable): Promise<TableSum> {
  const { rows } = await sql<
    Record<string, unknown>
  >`select * from ${sql.table(table)} limit 1`.execute(db)
  const lengthOf = traitsOf(db).kind === 'mysql' ? sql`char_length` : sql`length`
  const sums: Record<string, number> = {}
  for (const column of Object.keys(rows[0] ?? {}).sort()) {
    const ref = sql.ref(column)
    // A column is of texts or of integers throughout; a first row may have a null.
    const { rows: types } = await sql<{ value: unknown }>`
      select ${ref} as value from ${sql.table(table)} where ${ref} is not null limit 1`.execute(db)
    const isText = typeof types[0]?.value === 'string'
    const part = isText ? sql`${lengthOf}(${ref})` : sql`${ref} % ${sql.lit(PRIME)}`
    const { rows: sum } = await sql<{ sum: number | string | null }>`
      select sum(${part}) as sum from ${sql.table(table)}`.execute(db)
    sums[column] = Number(sum[0]?.sum ?? 0)
  }
  return { table, rows: await countRows(db, table), sums }
}
