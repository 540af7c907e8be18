import type { Kysely } from 'kysely'
import type { TagStore } from '../../ports/tag-store'
import { transact } from './database'
import { insertAbsent } from './inserts'
import type { Database } from './schema'

/** Hashtags as a table of tag and post. */
export function createSqlTagStore(db: Kysely<Database>): TagStore {
  return {
    async set(posts) {
      if (posts.length === 0) return
      const rows = posts.flatMap(({ post, tags }) => tags.map((tag) => ({ tag, post_id: post })))
      await transact(db, async (tx) => {
        await tx
          .deleteFrom('post_tags')
          .where(
            'post_id',
            'in',
            posts.map(({ post }) => post),
          )
          .execute()
        if (rows.length > 0) await insertAbsent(tx, 'post_tags', rows)
      })
    },
    async postIds(tag, { before, limit }) {
      const rows = await db
        .selectFrom('post_tags')
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
