import type { UserId } from '@sns/shared/domain/id'
import type { Logger } from '@sns/shared/observability/logger'
import type { ChangeAnnouncer } from '@sns/shared/ports/freshness'
import type { FollowPair, GraphStore } from '@sns/shared/ports/graph-store'
import type { Lane, LaneStore } from '@sns/shared/ports/lane-store'
import type { UserStore } from '@sns/shared/ports/user-store'

/** Timelines made stale in one transaction. */
const PAGE = 500

export interface LanesDeps {
  readonly lanes: LaneStore
  readonly graph: Pick<GraphStore, 'withFewerFollowers' | 'followersOf'>
  readonly users: Pick<UserStore, 'touchGraph'>
  readonly announcer: Pick<ChangeAnnouncer, 'announce'>
  readonly logger: Pick<Logger, 'info'>
}

/** An author in `pull` goes back below this share of the threshold, so that nobody crosses again and again. */
const HYSTERESIS = 0.8

export interface LanesOptions {
  /** An author with more followers goes to `pull`. */
  readonly pullAbove: number
}

export type Lanes = ReturnType<typeof createLanes>

/** Moves authors between the lanes, in the steps of `LaneStore`. */
export function createLanes(
  { lanes, graph, users, announcer, logger }: LanesDeps,
  { pullAbove }: LanesOptions,
) {
  const pushBelow = Math.ceil(pullAbove * HYSTERESIS)

  async function toPull(author: UserId): Promise<boolean> {
    const crossing = await lanes.begin(author)
    await announcer.announce([{ kind: 'lanes' }])
    const isMerged = await lanes.finish(author, crossing, 'pull')
    if (isMerged) logger.info({ author }, 'the posts of an author are merged at read from now on')
    return isMerged
  }

  async function toPush(author: UserId): Promise<void> {
    const crossing = await lanes.begin(author)
    let after: FollowPair | null = null
    for (;;) {
      const page: readonly FollowPair[] = await graph.followersOf([author], after, PAGE)
      // In one order, as every transaction that locks several accounts.
      const followers = page.map(({ follower }) => follower).sort((a, b) => a - b)
      if (followers.length > 0) {
        await users.touchGraph(followers)
        await announcer.announce(followers.map((user) => ({ kind: 'viewer', user })))
      }
      if (page.length < PAGE) break
      after = page.at(-1) ?? null
    }
    if (!(await lanes.finish(author, crossing, 'push'))) return
    await announcer.announce([{ kind: 'lanes' }])
    logger.info({ author }, 'the posts of an author are fanned out from now on')
  }

  return {
    /** The lanes of `authors` to deliver by, after those who have lost followers went back. */
    async settle(authors: readonly UserId[]): Promise<ReadonlyMap<UserId, Lane>> {
      const known = new Map(await lanes.lanesOf(authors))
      for (const author of await graph.withFewerFollowers([...known.keys()], pushBelow)) {
        await toPush(author)
        known.delete(author)
      }
      return known
    },

    /**
     * Tells how many followers a post was pushed to until now, and in which lane. True: the author is in
     * `pull` by now, and nobody needs the rest of the pushes.
     */
    async pushed(author: UserId, lane: Lane, followers: number): Promise<boolean> {
      // One in `both` was on the way when somebody failed.
      return followers > pullAbove || lane === 'both' ? toPull(author) : false
    },
  }
}
