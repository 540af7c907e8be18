import { type ChangeEvent, isChangeOf } from '@sns/shared/events/change-event'
import type { Change, ChangeAnnouncer } from '@sns/shared/ports/freshness'
import { type Consumer, type ConsumerDeps, createConsumer } from '@sns/shared/runtime/consumer'

export interface AnnouncementsDeps extends ConsumerDeps {
  readonly announcer: Pick<ChangeAnnouncer, 'announce'>
}

export interface AnnouncementsOptions {
  /** The consumer group. */
  readonly group: string
}

const TABLES = ['users', 'posts', 'follows', 'blocks', 'mutes', 'likes', 'comments'] as const
const MAX_BATCH = 500

type Announced = ChangeEvent<(typeof TABLES)[number]>

/**
 * Announces changes from the log that their writer may not have announced: a writer that died
 * between commit and announcement, an import, a manual change in the database.
 */
export function createAnnouncements(
  deps: AnnouncementsDeps,
  { group }: AnnouncementsOptions,
): Consumer {
  return createConsumer(deps, {
    name: 'announce',
    group,
    tables: TABLES,
    maxBatch: MAX_BATCH,
    async handle(events) {
      const changes = events.flatMap(changesOf)
      const distinct = new Map(changes.map((change) => [Object.values(change).join(), change]))
      if (distinct.size > 0) await deps.announcer.announce([...distinct.values()])
    },
  })
}

/** What a change of a row alters of what processes keep, for the row before and the row after. */
function changesOf(event: Announced): Change[] {
  if (isChangeOf('posts', event)) {
    // A new post replaces no post that is kept; its writer announces it all the same, for an id used twice.
    return event.op === 'c'
      ? [{ kind: 'posts', author: event.after.author_id }]
      : rowsOf(event).map(({ id }) => ({ kind: 'post', post: id }))
  }
  if (isChangeOf('users', event)) {
    return rowsOf(event).flatMap(({ id }) => [{ kind: 'author', user: id }, viewer(id)])
  }
  if (isChangeOf('follows', event)) return rowsOf(event).map((row) => viewer(row.follower_id))
  if (isChangeOf('mutes', event)) return rowsOf(event).map((row) => viewer(row.muter_id))
  if (isChangeOf('blocks', event)) {
    return rowsOf(event).flatMap((row) => [viewer(row.blocker_id), viewer(row.blocked_id)])
  }
  if (isChangeOf('likes', event)) {
    return rowsOf(event).flatMap((row) => [
      { kind: 'engagement', post: row.post_id, by: row.user_id },
      { kind: 'reactions', user: row.user_id },
    ])
  }
  return isChangeOf('comments', event)
    ? rowsOf(event).map((row) => ({ kind: 'engagement', post: row.post_id, by: row.author_id }))
    : []
}

function viewer(user: Extract<Change, { kind: 'viewer' }>['user']): Change {
  return { kind: 'viewer', user }
}

function rowsOf<Row>({
  before,
  after,
}: {
  readonly before: Row | null
  readonly after: Row | null
}) {
  return [before, after].filter((row): row is Row => row !== null)
}
