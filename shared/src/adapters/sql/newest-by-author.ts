import { CompiledQuery } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import { chunks } from '../chunks'
import { type Queryable, traitsOf } from './database'
import { IN_ORDER } from './index-hints'

/** A place in a list of ids, both ends included. */
export interface IdRange {
  readonly floor: number
  readonly upTo: number
}

/** The newest post of an author below some place. */
export interface Newest {
  readonly author: UserId
  readonly id: PostId
}

/** Authors that one statement asks for: it holds memory for each of them, and SQLite joins no more selects. */
const AUTHORS = 500

/**
 * MySQL begins at both ends of a range of `posts_author_id` only where author and ids are values in the text: for an
 * author out of a join it begins at the newest post, and passes over all that are above the page. So each author is a
 * select of its own. That of the newest is read while the statement is planned, whatever the statistics.
 */
const MYSQL_NEWEST = `select ? as author, max(id) as id from posts force index (posts_author_id)
  where author_id = ? and id <= ?`

/** `created_at` is in no index: one that holds all that is asked for may be read from end to end. */
const MYSQL_NEWEST_FEW = `(select id, created_at from posts force index (posts_author_id)
  where author_id = ? and id between ? and ? order by author_id desc, id desc limit ?)`

/** Of the authors the `limit` with the newest posts up to `upTo`, each with the newest one, newest first. */
export async function newestOfEach(
  db: Queryable,
  authors: readonly UserId[],
  upTo: number,
  limit: number,
): Promise<readonly Newest[]> {
  const read = traitsOf(db).kind === 'mysql' ? newestOfEachInMysql : newestOfEachInSqlite
  const found: Newest[] = []
  for (const some of chunks(authors, AUTHORS)) {
    for (const { author, id } of await read(db, some, upTo)) {
      if (id !== null) found.push({ author, id })
    }
  }
  return found.sort((a, b) => b.id - a.id).slice(0, limit)
}

/** The newest `limit` ids of these authors in the range, newest first. */
export async function newestOfAll(
  db: Queryable,
  authors: readonly UserId[],
  range: IdRange,
  limit: number,
): Promise<readonly PostId[]> {
  const read = traitsOf(db).kind === 'mysql' ? newestOfAllInMysql : newestOfAllInSqlite
  const found: PostId[] = []
  for (const some of chunks(authors, AUTHORS)) found.push(...(await read(db, some, range, limit)))
  return found.sort((a, b) => b - a).slice(0, limit)
}

interface NewestRow {
  readonly author: UserId
  readonly id: PostId | null
}

async function newestOfEachInMysql(
  db: Queryable,
  authors: readonly UserId[],
  upTo: number,
): Promise<readonly NewestRow[]> {
  const text = unionOf(MYSQL_NEWEST, authors.length)
  const values = authors.flatMap((author) => [author, author, upTo])
  return (await db.executeQuery<NewestRow>(CompiledQuery.raw(text, values))).rows
}

async function newestOfAllInMysql(
  db: Queryable,
  authors: readonly UserId[],
  { floor, upTo }: IdRange,
  limit: number,
): Promise<readonly PostId[]> {
  const few = unionOf(MYSQL_NEWEST_FEW, authors.length)
  const text = `select id from (${few}) as few order by id desc limit ?`
  const values = authors.flatMap((author) => [author, floor, upTo, limit])
  const query = CompiledQuery.raw(text, [...values, limit])
  return (await db.executeQuery<{ id: PostId }>(query)).rows.map(({ id }) => id)
}

function unionOf(select: string, count: number): string {
  return Array<string>(count).fill(select).join('\nunion all\n')
}

async function newestOfEachInSqlite(
  db: Queryable,
  authors: readonly UserId[],
  upTo: number,
): Promise<readonly NewestRow[]> {
  return db
    .selectFrom('users as authors')
    .select('authors.id as author')
    .select((eb) =>
      eb
        .selectFrom('posts')
        .select('posts.id')
        .whereRef('posts.author_id', '=', 'authors.id')
        .where('posts.id', '<=', upTo as PostId)
        .orderBy('posts.id', 'desc')
        .limit(1)
        .as('id'),
    )
    .where('authors.id', 'in', authors)
    .execute()
}

/** SQLite leaves an author's index as soon as `limit` newer posts are known. */
async function newestOfAllInSqlite(
  db: Queryable,
  authors: readonly UserId[],
  { floor, upTo }: IdRange,
  limit: number,
): Promise<readonly PostId[]> {
  const rows = await db
    .selectFrom('users as authors')
    .modifyFront(IN_ORDER)
    .crossJoin('posts as newest')
    .whereRef('newest.author_id', '=', 'authors.id')
    .where('authors.id', 'in', authors)
    .where('newest.id', '>=', floor as PostId)
    .where('newest.id', '<=', upTo as PostId)
    .select('newest.id')
    .orderBy('newest.id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
