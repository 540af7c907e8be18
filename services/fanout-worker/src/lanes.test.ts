import { describe, expect, test } from 'bun:test'
import type { FollowId, UserId } from '@sns/shared/domain/id'
import { createLogger } from '@sns/shared/observability/logger'
import type { Change } from '@sns/shared/ports/freshness'
import type { FollowPair } from '@sns/shared/ports/graph-store'
import type { Crossing, Lane } from '@sns/shared/ports/lane-store'
import { createLanes } from './lanes'

const author = 7 as UserId

/** Lanes over stores that note each call; `followers` is how many the author has. */
function createWorld(followers: number, pullAbove: number) {
  const calls: string[] = []
  const known = new Map<UserId, Lane>()
  const world = { followers, calls, known, takeOver: false }
  const pairs = () =>
    Array.from({ length: world.followers }, (_, at): FollowPair => {
      return { author, follower: (100 + at) as UserId, followId: (at + 1) as FollowId }
    })
  const lanes = createLanes(
    {
      lanes: {
        lanesOf: async () => known,
        mergedAuthors: async () => [...known.keys()],
        async begin() {
          calls.push('begin')
          known.set(author, 'both')
          return 1 as Crossing
        },
        async finish(_author, _crossing, lane) {
          calls.push(`finish ${lane}`)
          if (world.takeOver) return false
          if (lane === 'push') known.delete(author)
          else known.set(author, lane)
          return true
        },
      },
      graph: {
        withFewerFollowers: async (of, limit) => (world.followers < limit ? of : []),
        followersOf: async (_of, after, limit) => {
          const rest = pairs().filter(({ followId }) => followId > (after?.followId ?? 0))
          return rest.slice(0, limit)
        },
      },
      users: {
        async touchGraph(ids) {
          calls.push(`touch ${ids.length}`)
        },
      },
      announcer: {
        async announce(changes: readonly Change[]) {
          calls.push(`announce ${changes.length} ${changes[0]?.kind}`)
        },
      },
      logger: createLogger('test', 'silent'),
    },
    { pullAbove },
  )
  return Object.assign(world, { lanes })
}

describe('lanes', () => {
  test('leave an author up to the threshold alone', async () => {
    const { lanes, calls } = createWorld(10, 10)
    expect(await lanes.settle([author])).toEqual(new Map())
    expect(await lanes.pushed(author, 'push', 10)).toBeFalse()
    expect(calls).toEqual([])
  })

  test('stop the pushes of one above it only when every reader merges', async () => {
    const { lanes, calls, known } = createWorld(11, 10)
    expect(await lanes.pushed(author, 'push', 11)).toBeTrue()
    expect(calls).toEqual(['begin', 'announce 1 lanes', 'finish pull'])
    expect(await lanes.settle([author])).toEqual(known)
  })

  test('keep one who lost a few followers, so that nobody crosses again and again', async () => {
    const world = createWorld(11, 10)
    await world.lanes.pushed(author, 'push', 11)
    world.calls.length = 0
    for (const followers of [10, 9, 8]) {
      world.followers = followers
      expect(await world.lanes.settle([author])).toEqual(new Map([[author, 'pull']]))
    }
    expect(world.calls).toEqual([])
  })

  test('take one below four fifths back once every timeline from before is stale', async () => {
    const world = createWorld(1_199, 1_500)
    world.known.set(author, 'pull')
    expect(await world.lanes.settle([author])).toEqual(new Map())
    expect(world.calls).toEqual([
      'begin',
      ...['touch 500', 'announce 500 viewer', 'touch 500', 'announce 500 viewer'],
      ...['touch 199', 'announce 199 viewer'],
      'finish push',
      'announce 1 lanes',
    ])
  })

  test('finish a crossing that was cut off', async () => {
    const { lanes, calls, known } = createWorld(9, 10)
    known.set(author, 'both')
    await lanes.pushed(author, 'both', 9)
    expect(calls).toEqual(['begin', 'announce 1 lanes', 'finish pull'])
    expect(known.get(author)).toBe('pull')
  })

  test('announce nothing where a later crossing took over', async () => {
    const world = createWorld(0, 10)
    world.known.set(author, 'pull')
    world.takeOver = true
    await world.lanes.settle([author])
    expect(world.calls).toEqual(['begin', 'finish push'])
  })
})
