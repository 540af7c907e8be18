import type { Kysely } from 'kysely'
import type { Database } from '../adapters/sql/schema'
import type { PostId, UserId } from '../domain/id'

/** A row of `posts`, for tests that need any row. */
export const postRow = (id: number, text = `post ${id}`) => ({
  id: id as PostId,
  author_id: 1 as UserId,
  text,
  version: 1,
  created_at: 1,
  edited_at: null,
  updated_at: 1,
})

export async function postIds({ db }: { readonly db: Kysely<Database> }): Promise<number[]> {
  return (await db.selectFrom('posts').select('id').orderBy('id').execute()).map((row) => row.id)
}
