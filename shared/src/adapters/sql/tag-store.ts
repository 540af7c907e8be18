import type { Kysely } from 'kysely'
import type { UserId } from '../../domain/id'
import type { TagStore } from '../../ports/tag-store'
import { transact } from './database'
import { notBlockedEitherWay } from './feed-truth'
import { byIndex, deleteByIndex } from './index-hints'
import { insertAbsent } from './inserts'
import type { Database } from './schema'

/** Hashtags as a table of tag and post. */
export function createSqlTagStore(db: Kysely<Database>): TagStore {
  return {
    async set(posts) {
      if (posts.length === 0) return
      const rows = posts.flatMap(({ post, tags }) => tags.map((tag) => ({ tag, post_id: post })))
      await transact(db, async (tx) => {
        await deleteByIndex(tx, 'post_tags', 'post_tags_post', (eb) =>
          eb(
            'post_id',
            'in',
            posts.map(({ post }) => post),
          ),
        )
        if (rows.length > 0) await insertAbsent(tx, 'post_tags', rows)
      })
    },
    async postIds(tag, viewer, { before, limit }) {
      const rows = await db
        .selectFrom(byIndex('post_tags', 'PRIMARY'))
        .leftJoin(byIndex('posts', 'PRIMARY'), 'posts.id', 'post_tags.post_id')
        .select('post_tags.post_id')
        .where('post_tags.tag', '=', tag)
        .$if(before !== null, (query) => query.where('post_tags.post_id', '<', before))
        .where((eb) => notBlockedEitherWay(viewer, eb.ref('posts.author_id').$castTo<UserId>()))
        .orderBy('post_tags.post_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.post_id)
    },
  }
}
