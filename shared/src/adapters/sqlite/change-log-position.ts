import type { Kysely } from 'kysely'
import type { Clock } from '../../domain/clock'
import type { Database } from '../sql/schema'

/** A group's place in the log: ahead of what is saved only by what it has finished. */
export interface GroupPosition {
  readonly seq: number
  /** The group has finished everything up to `seq`; `hasEvents` if any of that was for it. */
  advance(seq: number, hasEvents: boolean): void
  /** Saves now and then while there is more to do, and at once when there is not. */
  saveIfDue(isMore: boolean): Promise<void>
  save(): Promise<void>
}

const SAVE_EVERY_MS = 200
/** Rows of other tables alone are worth a write only from here on. */
const SAVE_EVERY_ROWS = 1_000

/** Registers the group, so that what it has yet to read is kept. */
export async function openGroupPosition(
  db: Kysely<Database>,
  group: string,
  clock: Clock,
): Promise<GroupPosition> {
  await db
    .insertInto('change_offsets')
    .values({ group_name: group, seq: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  let seq = await finishedBy(db, group)
  let saved = seq
  let savedAt = clock.now()
  let isEventUnsaved = false

  async function save(): Promise<void> {
    if (seq === saved) return
    const finished = seq
    await db
      .updateTable('change_offsets')
      .set({ seq: finished })
      .where('group_name', '=', group)
      .where('seq', '<', finished)
      .execute()
    saved = finished
    savedAt = clock.now()
    isEventUnsaved = false
  }

  return {
    get seq() {
      return seq
    },
    advance(to, hasEvents) {
      seq = to
      isEventUnsaved ||= hasEvents
    },
    async saveIfDue(isMore) {
      const isDue = isMore ? Math.abs(clock.now() - savedAt) >= SAVE_EVERY_MS : isEventUnsaved
      if (isDue || seq - saved >= SAVE_EVERY_ROWS) await save()
    },
    save,
  }
}

export async function finishedBy(db: Kysely<Database>, group: string): Promise<number> {
  const row = await db
    .selectFrom('change_offsets')
    .select('seq')
    .where('group_name', '=', group)
    .executeTakeFirst()
  return row?.seq ?? 0
}
