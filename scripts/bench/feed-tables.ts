import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { openSqliteDatabase } from '@sns/shared/adapters/sqlite/database'
import { databaseUrl } from '@sns/shared/config/database-url'
import { systemClock } from '@sns/shared/domain/clock'
import { createIdGenerator, type PostId, type UserId } from '@sns/shared/domain/id'
import type { PublishedPost } from '@sns/shared/domain/post'
import { createSqlStores } from '@sns/shared/runtime/sql-stores'

/** Under this load a join waits for seconds: that is what is measured. */
const PATIENT = { queryTimeoutMs: 60_000, acquireTimeoutMs: 120_000, queueLimit: 100_000 }

export type FeedTables = Awaited<ReturnType<typeof openFeedTables>>

/** The tables of the suite, as the designs that are measured beside it read them. */
export async function openFeedTables(url: string) {
  const address = databaseUrl(url)
  const { db } =
    'path' in address
      ? await openSqliteDatabase({ path: address.path, migrate: false })
      : await connectMysql({ ...address, kind: 'mysql', echo: false, poolSize: 20 }, PATIENT)
  const clock = systemClock
  const { users, posts } = createSqlStores(db, { clock, ids: createIdGenerator({ clock }) })

  return {
    async userId(username: string): Promise<UserId> {
      const user = await users.findByUsername(username)
      if (!user) throw new Error(`there is no user ${username}`)
      return user.id
    },
    feedIds: (viewer: UserId, limit: number) => posts.feedIds(viewer, { before: null, limit }),
    published: (ids: readonly PostId[]) => posts.published(ids),

    /** A feed as one writes it first: a join of posts with those followed, sorted. */
    async pull(viewer: UserId, limit: number): Promise<readonly PublishedPost[]> {
      const authors = db
        .selectFrom('follows')
        .select('follows.followee_id as id')
        .where('follows.follower_id', '=', viewer)
        .unionAll(db.selectFrom('users').select('users.id').where('users.id', '=', viewer))
        .as('authors')
      const rows = await db
        .selectFrom('posts')
        .innerJoin(authors, 'authors.id', 'posts.author_id')
        .innerJoin('users', 'users.id', 'posts.author_id')
        .leftJoin('post_counts', 'post_counts.post_id', 'posts.id')
        .selectAll('posts')
        .select(['users.username', 'users.display_name'])
        .select(['post_counts.likes', 'post_counts.comments'])
        .orderBy('posts.id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        body: {
          id: row.id,
          authorId: row.author_id,
          version: row.version,
          text: row.text,
          createdAt: row.created_at,
          editedAt: row.edited_at,
        },
        author: { id: row.author_id, username: row.username, displayName: row.display_name },
        counts: { likes: row.likes ?? 0, comments: row.comments ?? 0 },
      }))
    },
  }
}
