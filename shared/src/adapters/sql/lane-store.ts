import type { Kysely } from 'kysely'
import type { Crossing, Lane, LaneStore } from '../../ports/lane-store'
import { traitsOf } from './database'
import type { Database } from './schema'

/** Lanes as a table of the few authors who are not in `push`. */
export function createSqlLaneStore(db: Kysely<Database>): LaneStore {
  return {
    async lanesOf(authors) {
      if (authors.length === 0) return new Map()
      const rows = await db
        .selectFrom('merged_authors')
        .select(['author_id', 'is_pushed'])
        .where('author_id', 'in', authors)
        .execute()
      return new Map(
        rows.map((row): [typeof row.author_id, Lane] => [
          row.author_id,
          row.is_pushed ? 'both' : 'pull',
        ]),
      )
    },
    async mergedAuthors() {
      const rows = await db.selectFrom('merged_authors').select('author_id').execute()
      return rows.map((row) => row.author_id)
    },
    async begin(author) {
      const crossing = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER) as Crossing
      const row = { author_id: author, is_pushed: 1, crossing }
      const insert = db.insertInto('merged_authors').values(row)
      await (traitsOf(db).kind === 'mysql'
        ? insert.onDuplicateKeyUpdate({ is_pushed: 1, crossing })
        : insert.onConflict((conflict) =>
            conflict.column('author_id').doUpdateSet({ is_pushed: 1, crossing }),
          )
      ).execute()
      return crossing
    },
    async finish(author, crossing, lane) {
      if (lane === 'push') {
        const { numDeletedRows } = await db
          .deleteFrom('merged_authors')
          .where('author_id', '=', author)
          .where('crossing', '=', crossing)
          .executeTakeFirstOrThrow()
        return numDeletedRows > 0n
      }
      const { numUpdatedRows } = await db
        .updateTable('merged_authors')
        .set({ is_pushed: 0 })
        .where('author_id', '=', author)
        .where('crossing', '=', crossing)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
  }
}
