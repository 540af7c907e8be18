import type { Kysely } from 'kysely'
import type { PostId, UserId } from '../../domain/id'
import type { SearchDocument } from '../../ports/search-index'
import type { SearchSource } from '../../ports/search-source'
import { byIndex } from './index-hints'
import type { Database } from './schema'

/** Reads a post or a user a row, by their primary keys. */
export function createSqlSearchSource(db: Kysely<Database>): SearchSource {
  const posts = () =>
    db
      .selectFrom(byIndex('posts', 'PRIMARY'))
      .select(['id', 'author_id as authorId', 'text', 'created_at as createdAt'])
  const users = () =>
    db
      .selectFrom(byIndex('users', 'PRIMARY'))
      .select(['id', 'username', 'display_name as displayName'])

  async function postDocuments(
    query: ReturnType<typeof posts>,
  ): Promise<readonly SearchDocument[]> {
    return (await query.execute()).map((row) => ({ kind: 'post', ...row }))
  }
  async function userDocuments(
    query: ReturnType<typeof users>,
  ): Promise<readonly SearchDocument[]> {
    return (await query.execute()).map((row) => ({ kind: 'user', ...row }))
  }

  return {
    documents: (kind, after, limit) =>
      kind === 'post'
        ? postDocuments(
            posts()
              .where('id', '>', after as PostId)
              .orderBy('id')
              .limit(limit),
          )
        : userDocuments(
            users()
              .where('id', '>', after as UserId)
              .orderBy('id')
              .limit(limit),
          ),

    async find(kind, ids) {
      if (ids.length === 0) return []
      return kind === 'post'
        ? postDocuments(posts().where('id', 'in', [...(ids as readonly PostId[])]))
        : userDocuments(users().where('id', 'in', [...(ids as readonly UserId[])]))
    },

    async span(kind) {
      const { fn } = db
      const { count, first, last } = await db
        .selectFrom(kind === 'post' ? 'posts' : 'users')
        .select([
          fn.countAll<number>().as('count'),
          fn.min<number | null>('id').as('first'),
          fn.max<number | null>('id').as('last'),
        ])
        .executeTakeFirstOrThrow()
      return { count: Number(count), first: Number(first ?? 0), last: Number(last ?? 0) }
    },
  }
}
