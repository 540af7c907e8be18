import { sql, type Transaction } from 'kysely'
import { SEARCH_TERMS_VERSION, termText } from '../../domain/search-terms'
import type { Database } from '../sql/schema'
import type { SqliteSearchIndexDeps } from './search-index'

/** Long enough for every change that was on its way when its document was deleted to have come in. */
export const TOMBSTONE_TTL_MS = 24 * 3600 * 1000

// The terms are ASCII letters and digits or beyond ASCII, parted by spaces: exactly what FTS5's `ascii`
// tokenizer takes for tokens, with nothing left for it to fold or to know of Unicode.
const TABLES = [
  sql`create table if not exists search_posts (
    id integer primary key,
    version integer not null,
    author_id integer not null,
    created_at integer not null,
    text text,
    deleted_at integer
  )`,
  sql`create index if not exists search_posts_deleted_at
    on search_posts (deleted_at) where deleted_at is not null`,
  sql`create virtual table if not exists search_post_terms
    using fts5(terms, content = '', contentless_delete = 1, tokenize = 'ascii')`,
  sql`create table if not exists search_users (
    id integer primary key,
    version integer not null,
    username text,
    display_name text,
    deleted_at integer
  )`,
  sql`create index if not exists search_users_username on search_users (username)`,
  sql`create index if not exists search_users_deleted_at
    on search_users (deleted_at) where deleted_at is not null`,
  sql`create virtual table if not exists search_user_terms
    using fts5(terms, content = '', contentless_delete = 1, tokenize = 'ascii')`,
  sql`create table if not exists search_meta (key text primary key, value integer not null)`,
]

/**
 * Makes the index's tables where they are missing, forgets old tombstones, and builds the terms anew
 * where they were made by another version of `searchTerms`. Idempotent.
 */
export async function migrateSqliteSearch({ db, clock }: SqliteSearchIndexDeps): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const statement of TABLES) await statement.execute(transaction)
    const before = clock.now() - TOMBSTONE_TTL_MS
    await sql`delete from search_posts where deleted_at < ${before}`.execute(transaction)
    await sql`delete from search_users where deleted_at < ${before}`.execute(transaction)
    const built = await sql<{ value: number }>`
      select value from search_meta where key = 'terms_version'`.execute(transaction)
    if (built.rows[0]?.value === SEARCH_TERMS_VERSION) return
    await rebuildTerms(transaction)
    await sql`insert or replace into search_meta (key, value)
      values ('terms_version', ${SEARCH_TERMS_VERSION})`.execute(transaction)
  })
}

async function rebuildTerms(transaction: Transaction<Database>): Promise<void> {
  await rebuild(transaction, 'search_post_terms', 'search_posts', 'text')
  await rebuild(transaction, 'search_user_terms', 'search_users', 'display_name')
}

async function rebuild(
  transaction: Transaction<Database>,
  terms: string,
  documents: string,
  column: string,
): Promise<void> {
  const into = sql.table(terms)
  const from = sql.table(documents)
  const text = sql.ref(column)
  await sql`insert into ${into}(${into}) values ('delete-all')`.execute(transaction)
  let after = -1
  for (;;) {
    const { rows } = await sql<{ id: number; text: string }>`
      select id, ${text} as text from ${from} where id > ${after} and deleted_at is null
      order by id limit 1000`.execute(transaction)
    for (const row of rows) {
      await sql`insert into ${into} (rowid, terms)
        values (${row.id}, ${termText(row.text)})`.execute(transaction)
    }
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
  }
}
