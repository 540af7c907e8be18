import type { Kysely } from 'kysely'
import type { TagStore } from '../../ports/tag-store'
import { transact } from './database'
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
    async postIds(tag, { before, limit }) {
      const rows = await db
        .selectFrom(byIndex('post_tags', 'PRIMARY'))
        .select('post_id')
        .where('tag', '=', tag)
        .$if(before !== null, (query) => query.where('post_id', '<', before))
        .orderBy('post_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.post_id)
    },
  }
}
