import { expect, test } from 'bun:test'
import type { ChangeEvent, Operation } from '@sns/shared/events/change-event'
import type { CapturedTable } from '@sns/shared/events/tables'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { Change } from '@sns/shared/ports/freshness'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createAnnouncements } from './announcements'

function event(
  table: CapturedTable,
  op: Operation,
  row: Record<string, number>,
  before: Record<string, number> | null = op === 'c' ? null : row,
): ChangeEvent {
  return {
    op,
    before: op === 'c' ? null : before,
    after: op === 'd' ? null : row,
    source: { table, snapshot: 'false' },
    ts_ms: 0,
    transaction: null,
  } as unknown as ChangeEvent
}

async function announced(...batches: readonly (readonly ChangeEvent[])[]): Promise<Change[][]> {
  const told: Change[][] = []
  const consumer = createAnnouncements(
    {
      changeLog: {
        async consume({ handle, signal }) {
          for (const batch of batches) await handle(batch as never[], signal)
        },
        backlog: async () => 0,
      },
      announcer: { announce: async (changes) => void told.push([...changes]) },
      metrics: createMetrics(),
      logger: createLogger('test', 'silent'),
      clock: createManualClock(),
    },
    { group: 'test' },
  )
  await consumer.run(new AbortController().signal)
  return told
}

test('tells what each change of a row alters', async () => {
  const follow = { follower_id: 1, followee_id: 2, id: 3 }
  const like = { user_id: 1, post_id: 9 }
  const comment = { id: 4, post_id: 9, author_id: 2 }
  expect(
    await announced(
      [event('posts', 'u', { id: 9 })],
      [event('posts', 'd', { id: 9 })],
      [event('users', 'u', { id: 1 })],
      [event('follows', 'c', follow)],
      [event('follows', 'd', follow)],
      [event('mutes', 'c', { muter_id: 1, muted_id: 2 })],
      [event('blocks', 'd', { blocker_id: 1, blocked_id: 2 })],
      [event('likes', 'c', like)],
      [event('comments', 'd', comment)],
    ),
  ).toEqual([
    [{ kind: 'post', post: 9 }],
    [{ kind: 'post', post: 9 }],
    [
      { kind: 'author', user: 1 },
      { kind: 'viewer', user: 1 },
    ],
    [{ kind: 'viewer', user: 1 }],
    [{ kind: 'viewer', user: 1 }],
    [{ kind: 'viewer', user: 1 }],
    [
      { kind: 'viewer', user: 1 },
      { kind: 'viewer', user: 2 },
    ],
    [
      { kind: 'engagement', post: 9, by: 1 },
      { kind: 'reactions', user: 1 },
    ],
    [{ kind: 'engagement', post: 9, by: 2 }],
  ] as Change[][])
})

test('tells of a row that moved to another key for both keys', async () => {
  const [before, after] = [
    { follower_id: 1, followee_id: 2, id: 3 },
    { follower_id: 7, followee_id: 2, id: 3 },
  ]
  expect(await announced([event('follows', 'u', after, before)])).toEqual([
    [
      { kind: 'viewer', user: 1 },
      { kind: 'viewer', user: 7 },
    ],
  ] as Change[][])
})

test('says the same once a batch, and of new posts whose they are', async () => {
  const follows = [1, 2, 3].map((id) =>
    event('follows', 'c', { follower_id: 5, followee_id: id, id }),
  )
  expect(await announced(follows, [event('posts', 'c', { id: 1, author_id: 4 })])).toEqual([
    [{ kind: 'viewer', user: 5 }],
    [{ kind: 'posts', author: 4 }],
  ] as Change[][])
})
