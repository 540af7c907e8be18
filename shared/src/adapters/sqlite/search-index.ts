import { type Kysely, type RawBuilder, sql } from 'kysely'
import { yieldToEventLoop } from '../../async/sleep'
import type { Clock } from '../../domain/clock'
import type { PostId, UserId } from '../../domain/id'
import type { SearchQuery } from '../../domain/search-query'
import { termText } from '../../domain/search-terms'
import type {
  ApplyResult,
  PostHit,
  PostSearch,
  SearchChange,
  SearchDocument,
  SearchIndex,
  SearchKey,
} from '../../ports/search-index'
import { chunks } from '../chunks'
import type { Queryable } from '../sql/database'
import type { Database } from '../sql/schema'

export interface SqliteSearchIndexDeps {
  readonly db: Kysely<Database>
  /** Answers searches, where they must not hold up what else this thread does: see `openReaderThread`. `db` by default. */
  readonly reads?: Kysely<Database>
  readonly clock: Clock
}

export interface SqliteSearchIndexOptions {
  /**
   * So many matches, the newest, are ranked by relevance; older ones follow, newest first. It bounds what a search for
   * a common word costs.
   */
  readonly rankedMatches?: number
}

const RANKED_MATCHES = 1_000
/** The score of a match that was not ranked; those that were have more than 0. */
const UNRANKED = -1

/** Changes written in one go; between goes, others have their turn at the process. */
const CHUNK = 128

/** Points, as a relevance of names would only be noise: the whole username, its beginning, the name. */
const USER_SCORES = { username: 3, prefix: 2, name: 1 } as const

/** Search on FTS5, over tables that `migrateSqliteSearch` makes in the database of the truth. */
export function createSqliteSearchIndex(
  { db, reads = db, clock }: SqliteSearchIndexDeps,
  { rankedMatches = RANKED_MATCHES }: SqliteSearchIndexOptions = {},
): SearchIndex {
  return {
    async apply(changes): Promise<ApplyResult> {
      let applied = 0
      for (const some of chunks(changes, CHUNK)) {
        applied += await db.transaction().execute(async (transaction) => {
          let written = 0
          for (const change of some) {
            if (await write(transaction, change, clock.now())) written += 1
          }
          return written
        })
        await yieldToEventLoop()
      }
      return { applied, stale: changes.length - applied, rejected: [] }
    },

    async searchPosts(search) {
      if (search.query.phrases.length === 0) return []
      const matches = matchingPosts(search)
      const { after, limit } = search
      const isRanked = after === null || after.score > UNRANKED
      const found = isRanked ? await rankedPosts(reads, matches, rankedMatches, search) : []
      if (found.length === limit) return found
      const before = isRanked ? await idAt(reads, matches, rankedMatches) : after.id
      if (before === null) return found
      return [...found, ...(await olderPosts(reads, matches, before, limit - found.length))]
    },

    async searchUsers(search) {
      const { username, name } = search.query
      const found: RawBuilder<unknown>[] = []
      if (username !== null) found.push(usersByUsername(username))
      if (name.phrases.length > 0) found.push(usersByName(name))
      if (found.length === 0) return []
      const shown =
        search.exclude.length === 0 ? sql`` : sql`where id not in ${listed(search.exclude)}`
      const all = sql`select id, max(score) as score
        from (${sql.join(found, sql` union all `)}) ${shown} group by id`
      const { rows } = await sql<{ id: UserId; score: number }>`${page(all, search)}`.execute(reads)
      return rows
    },

    async differing(documents) {
      const wrong: SearchDocument[] = []
      for (const some of chunks(documents, CHUNK)) {
        const posts = some.filter(({ kind }) => kind === 'post').map(({ id }) => id)
        const users = some.filter(({ kind }) => kind === 'user').map(({ id }) => id)
        const held = [...(await heldPosts(db, posts)), ...(await heldUsers(db, users))]
        const known = new Map(held.map((document) => [`${document.kind} ${document.id}`, document]))
        wrong.push(
          ...some.filter(
            (document) =>
              !Bun.deepEquals(known.get(`${document.kind} ${document.id}`), asHeld(document)),
          ),
        )
      }
      return wrong
    },

    async ids(kind, after, limit) {
      const table = sql.table(kind === 'post' ? 'search_posts' : 'search_users')
      const { rows } = await sql<{ id: number }>`select id from ${table}
        where id > ${after} and deleted_at is null order by id limit ${limit}`.execute(db)
      return rows.map(({ id }) => id)
    },

    async refresh() {},
  }
}

async function heldPosts(db: Queryable, ids: readonly number[]): Promise<SearchDocument[]> {
  const { rows } = await sql<Omit<SearchDocument & { kind: 'post' }, 'kind'>>`
    select id, author_id as authorId, text, created_at as createdAt from search_posts
    where deleted_at is null and id in (select value from json_each(${JSON.stringify(ids)}))`.execute(
    db,
  )
  return rows.map((row) => ({ kind: 'post', ...row }))
}

async function heldUsers(db: Queryable, ids: readonly number[]): Promise<SearchDocument[]> {
  const { rows } = await sql<Omit<SearchDocument & { kind: 'user' }, 'kind'>>`
    select id, username, display_name as displayName from search_users
    where deleted_at is null and id in (select value from json_each(${JSON.stringify(ids)}))`.execute(
    db,
  )
  return rows.map((row) => ({ kind: 'user', ...row }))
}

/** A document as `write` keeps it. */
function asHeld(document: SearchDocument): SearchDocument {
  return document.kind === 'post'
    ? document
    : { ...document, username: document.username.toLowerCase() }
}

/** Whether the change counted: a newer version of the document stays. */
async function write(db: Queryable, change: SearchChange, now: number): Promise<boolean> {
  if (change.op === 'delete') return insertTombstone(db, change, now)
  const { document, version } = change
  const { numAffectedRows } =
    document.kind === 'post'
      ? await sql`insert into search_posts (id, version, author_id, created_at, text)
          values (${document.id}, ${version}, ${document.authorId}, ${document.createdAt}, ${document.text})
          on conflict (id) do update set version = excluded.version, author_id = excluded.author_id,
            created_at = excluded.created_at, text = excluded.text, deleted_at = null
          where excluded.version >= search_posts.version`.execute(db)
      : await sql`insert into search_users (id, version, username, display_name)
          values (${document.id}, ${version}, ${document.username.toLowerCase()}, ${document.displayName})
          on conflict (id) do update set version = excluded.version, username = excluded.username,
            display_name = excluded.display_name, deleted_at = null
          where excluded.version >= search_users.version`.execute(db)
  if (!numAffectedRows) return false
  const terms = termText(document.kind === 'post' ? document.text : document.displayName)
  await sql`insert or replace into ${termsTable(document.kind)} (rowid, terms)
    values (${document.id}, ${terms})`.execute(db)
  return true
}

/** Leaves a tombstone that keeps older versions out. */
async function insertTombstone(
  db: Queryable,
  { kind, id, version }: SearchChange & { op: 'delete' },
  now: number,
): Promise<boolean> {
  const { numAffectedRows } =
    kind === 'post'
      ? await sql`insert into search_posts (id, version, author_id, created_at, deleted_at)
          values (${id}, ${version}, 0, 0, ${now})
          on conflict (id) do update
            set version = excluded.version, text = null, deleted_at = excluded.deleted_at
          where excluded.version >= search_posts.version`.execute(db)
      : await sql`insert into search_users (id, version, deleted_at) values (${id}, ${version}, ${now})
          on conflict (id) do update set version = excluded.version, username = null,
            display_name = null, deleted_at = excluded.deleted_at
          where excluded.version >= search_users.version`.execute(db)
  if (!numAffectedRows) return false
  await sql`delete from ${termsTable(kind)} where rowid = ${id}`.execute(db)
  return true
}

function termsTable(kind: 'post' | 'user') {
  return sql.table(kind === 'post' ? 'search_post_terms' : 'search_user_terms')
}

/** Ids as one parameter, however many. */
function listed(ids: readonly number[]): RawBuilder<unknown> {
  return sql`(select value from json_each(${JSON.stringify(ids)}))`
}

/** What a search matches: the `from` and `where` of a statement. */
function matchingPosts(search: PostSearch): RawBuilder<unknown> {
  const filters = [
    search.authorId !== null && sql`post.author_id = ${search.authorId}`,
    search.since !== null && sql`post.created_at >= ${search.since}`,
    search.until !== null && sql`post.created_at < ${search.until}`,
    search.excludeAuthors.length > 0 && sql`post.author_id not in ${listed(search.excludeAuthors)}`,
  ].filter((filter) => filter !== false)
  const joined = filters.length > 0
  return sql`from search_post_terms
    ${joined ? sql`cross join search_posts as post on post.id = search_post_terms.rowid` : sql``}
    where search_post_terms match ${ftsQuery(search.query)}
    ${joined ? sql`and ${sql.join(filters, sql` and `)}` : sql``}`
}

/** A page of the newest `most` matches, by relevance. */
async function rankedPosts(
  db: Queryable,
  matches: RawBuilder<unknown>,
  most: number,
  search: PostSearch,
): Promise<readonly PostHit[]> {
  // The limit also keeps SQLite from working the score out again further outside.
  const ranked = sql`select search_post_terms.rowid as id, -bm25(search_post_terms) as score
    ${matches} order by search_post_terms.rowid desc limit ${most}`
  const { rows } = await sql<Found>`${page(ranked, search)}`.execute(db)
  return rows.map(toHit)
}

/** The id of the nth newest match; null where there are fewer. */
async function idAt(db: Queryable, matches: RawBuilder<unknown>, n: number) {
  const { rows } = await sql<{ id: number }>`select search_post_terms.rowid as id
    ${matches} order by search_post_terms.rowid desc limit 1 offset ${n - 1}`.execute(db)
  return rows[0]?.id ?? null
}

async function olderPosts(
  db: Queryable,
  matches: RawBuilder<unknown>,
  before: number,
  limit: number,
): Promise<readonly PostHit[]> {
  const { rows } = await sql<Found>`
    select search_post_terms.rowid as id, ${sql.lit(UNRANKED)} as score ${matches}
      and search_post_terms.rowid < ${before}
    order by search_post_terms.rowid desc limit ${limit}`.execute(db)
  return rows.map(toHit)
}

interface Found {
  readonly id: PostId
  readonly score: number
}

/** Terms are all that FTS5 finds by. */
function toHit(found: Found): PostHit {
  return { ...found, textHash: null }
}

function usersByUsername(prefix: string): RawBuilder<unknown> {
  // The character after z closes the range of names that go on with letters, digits or underscores.
  return sql`select id, iif(username = ${prefix}, ${sql.lit(USER_SCORES.username)}, ${sql.lit(USER_SCORES.prefix)}) as score
    from search_users where username >= ${prefix} and username < ${`${prefix}{`}`
}

function usersByName(name: SearchQuery): RawBuilder<unknown> {
  return sql`select rowid as id, ${sql.lit(USER_SCORES.name)} as score
    from search_user_terms where search_user_terms match ${ftsQuery(name)}`
}

/** What follows `after` in the order of scores, then of ids. */
function page(
  found: RawBuilder<unknown>,
  { after, limit }: { readonly after: SearchKey | null; readonly limit: number },
): RawBuilder<unknown> {
  const rest =
    after === null
      ? sql``
      : sql`where score < ${after.score} or (score = ${after.score} and id < ${after.id})`
  return sql`select id, score from (${found}) ${rest} order by score desc, id desc limit ${limit}`
}

/** Terms hold no quotes, so that quoted they are text to FTS5 and nothing else. */
function ftsQuery(query: SearchQuery): string {
  return query.phrases
    .map(({ terms, prefix }) => `"${terms.join(' ')}"${prefix ? ' *' : ''}`)
    .join(' AND ')
}
