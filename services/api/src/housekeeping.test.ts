import { expect, test } from 'bun:test'
import { createLogger } from '@sns/shared/observability/logger'
import { eventually } from '@sns/shared/testing/eventually'
import { createDeletions, createHousekeeping } from './housekeeping'

const logger = createLogger('test', 'silent')
const DAY_MS = 24 * 3600 * 1000

test('prunes by the clock, goes on after a failure, and stops when told', async () => {
  const now = Date.UTC(2026, 5, 1)
  const pruned: string[] = []
  let failures = 0
  const housekeeping = createHousekeeping(
    {
      sessions: {
        async prune(at) {
          expect(at).toBe(now)
          if (failures++ === 0) throw new Error('away')
        },
      },
      users: {
        async pruneUsernames(at) {
          expect(at).toBe(now)
          pruned.push('usernames')
        },
      },
      posts: {
        async pruneIdempotencyKeys(before) {
          pruned.push(`keys before ${(now - before) / DAY_MS} days`)
        },
      },
      notifications: {
        async prune(before) {
          pruned.push(`notifications before ${(now - before) / DAY_MS} days`)
        },
      },
      clock: { now: () => now },
      logger,
    },
    { everyMs: 1, random: () => 0 },
  )
  const stop = new AbortController()
  const done = housekeeping.run(stop.signal)
  await eventually(() => pruned.length >= 3)
  stop.abort()
  await done
  expect(pruned.slice(0, 3)).toEqual([
    'usernames',
    'keys before 1 days',
    'notifications before 90 days',
  ])
})

test('deletions of posts and accounts are continued at once, and again after a failure', async () => {
  const done: string[] = []
  const deletions = createDeletions(
    {
      posts: {
        async finishDeletions() {
          done.push('posts')
          if (done.length === 1) throw new Error('unavailable')
        },
      },
      users: {
        async finishDeletions() {
          done.push('users')
        },
      },
      logger,
    },
    { everyMs: 1 },
  )
  const stop = new AbortController()
  const running = deletions.run(stop.signal)
  await eventually(() => done.length >= 3)
  stop.abort()
  await running
  expect(done.slice(0, 3)).toEqual(['posts', 'posts', 'users'])
})
