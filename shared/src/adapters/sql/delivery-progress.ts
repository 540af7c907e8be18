import { type Kysely, sql } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { DeliveryProgress } from '../../ports/delivery-progress'
import { traitsOf } from './database'
import { byIndex, NOT_IN_INDEX } from './index-hints'
import type { Database } from './schema'

const PROGRESS = 1
/** The checkpoint of this suite's one capture. */
const CAPTURE = 'capture'

/** The progress as one row, each call one statement. */
export function createSqlDeliveryProgress(
  db: Kysely<Database>,
  { clock }: { readonly clock: Clock },
): DeliveryProgress {
  return {
    async captured() {
      // Triggers write the embedded log in the transaction of the change.
      if (traitsOf(db).kind === 'sqlite') return clock.now()
      const row = await db
        .selectFrom('capture_checkpoint')
        .select('last_committed_at')
        .where('name', '=', CAPTURE)
        .executeTakeFirst()
      const micros = row?.last_committed_at ?? null
      return micros === null ? null : Math.floor(micros / 1_000)
    },
    async delivered() {
      const row = await db
        .selectFrom('delivery_progress')
        .select('delivered_at')
        .where('id', '=', PROGRESS)
        .executeTakeFirstOrThrow()
      return row.delivered_at
    },
    async record(deliveredAt) {
      await db
        .updateTable('delivery_progress')
        .set({ delivered_at: deliveredAt })
        .where('id', '=', PROGRESS)
        .where('delivered_at', '<', deliveredAt)
        .execute()
    },
    async oldestFrom(floor) {
      const row = await db
        .selectFrom(byIndex('posts', 'PRIMARY'))
        .select(['id', NOT_IN_INDEX])
        .where('id', '>=', floor)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row?.id ?? null
    },
    async newestFrom(floor, limit) {
      return db
        .selectFrom(byIndex('posts', 'PRIMARY'))
        .select(['id', sql.ref<never>('author_id').as('author')])
        .where('id', '>=', floor)
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
    },
  }
}
