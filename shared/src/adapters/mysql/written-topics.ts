import type { Kysely } from 'kysely'
import { parseWrittenTopics, type WrittenTopics } from '../../events/written-topics'
import type { Database } from '../sql/schema'

/** The topics that are noted in the checkpoint; null before there are any. */
export async function readWrittenTopics(db: Kysely<Database>): Promise<WrittenTopics | null> {
  const row = await db.selectFrom('capture_checkpoint').select('topics').executeTakeFirst()
  return row?.topics ? parseWrittenTopics(row.topics) : null
}

/** Notes them where none are. */
export async function noteWrittenTopics(
  db: Kysely<Database>,
  written: WrittenTopics,
): Promise<void> {
  await db
    .updateTable('capture_checkpoint')
    .set({ topics: JSON.stringify(written) })
    .where('topics', 'is', null)
    .execute()
}
