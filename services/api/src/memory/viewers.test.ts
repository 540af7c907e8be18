import { expect, test } from 'bun:test'
import { createMemoryFreshness } from '@sns/shared/adapters/memory/freshness'
import type { SessionId, UserId } from '@sns/shared/domain/id'
import type { Grant } from '@sns/shared/domain/session'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { eventually } from '@sns/shared/testing/eventually'
import { createManualClock } from '@sns/shared/testing/manual-clock'
import { createViewers } from './viewers'

const ann = 10_000 as UserId
const HERE: Grant = { userId: ann, sessionId: 5 as SessionId, epoch: 0 }
const ELSEWHERE: Grant = { ...HERE, sessionId: 6 as SessionId }

/** One account, whose reads are counted, and which has two sessions. */
function openWorld() {
  const clock = createManualClock()
  const freshness = createMemoryFreshness()
  const world = {
    sessions: new Set([HERE.sessionId, ELSEWHERE.sessionId]),
    version: 0,
    reads: 0,
    failure: null as Error | null,
    /** Held reads of accounts go on when it resolves. */
    held: Promise.resolve(),
  }
  const viewers = createViewers(
    {
      users: { findAccount: async () => null },
      sessions: {
        async findViewer({ sessionId }) {
          world.reads += 1
          const { version: graphVersion } = world
          const isOpen = world.sessions.has(sessionId)
          await world.held
          if (world.failure) throw world.failure
          if (!isOpen) return null
          const liveUntil = Number.MAX_SAFE_INTEGER
          return {
            id: ann,
            username: 'ann',
            displayName: 'Ann',
            createdAt: 0,
            graphVersion,
            liveUntil,
          }
        },
      },
      posts: {
        feedAuthors: async () => [ann],
      },
      lanes: { mergedAuthors: async () => [] },
      freshness,
      clock,
    },
    { maxBytes: 1_000_000 },
  )
  return Object.assign(world, { viewers, clock, freshness })
}

test('an account is read once, and again beside the requests before it is too old', async () => {
  const world = openWorld()
  const { viewers, clock } = world
  await viewers.account(HERE)
  clock.advance(14_000)
  await viewers.account(HERE)
  expect(world.reads).toBe(1)
  // Due, and the database is slow: nobody waits for it.
  const slow = Promise.withResolvers<void>()
  world.held = slow.promise
  clock.advance(2_000)
  for (let n = 0; n < 3; n += 1) expect(await viewers.account(HERE)).toMatchObject({ id: ann })
  expect(world.reads).toBe(2)
  slow.resolve()
  await Bun.sleep(1)
  clock.advance(14_000)
  await viewers.account(HERE)
  expect(world.reads).toBe(2)
})

test('one that could not be read again is waited for once it is too old', async () => {
  const world = openWorld()
  const { viewers, clock } = world
  await viewers.account(HERE)
  world.failure = storeUnavailable('mysql')
  clock.advance(29_000)
  expect(await viewers.account(HERE)).not.toBeNull()
  clock.advance(1_000)
  await expect(viewers.account(HERE)).rejects.toThrow('unavailable')
})

test('a session that ended and was told by nobody is refused after half a minute, or once that is seen', async () => {
  const world = openWorld()
  const { viewers, clock } = world
  await viewers.account(HERE)
  await viewers.account(ELSEWHERE)
  world.sessions.delete(HERE.sessionId)
  clock.advance(16_000)
  expect(await viewers.account(HERE)).not.toBeNull()
  await eventually(async () => (await viewers.account(HERE)) === null)
  expect(await viewers.account(ELSEWHERE)).not.toBeNull()
  world.sessions.delete(ELSEWHERE.sessionId)
  clock.advance(30_000)
  expect(await viewers.account(ELSEWHERE)).toBeNull()
})
