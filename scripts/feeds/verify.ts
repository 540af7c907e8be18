import type { PostId, UserId } from '@sns/shared/domain/id'
import { TIMELINE_CAP } from '@sns/shared/domain/timeline'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { TimelineStore } from '@sns/shared/ports/timeline-store'
import type { UserStore } from '@sns/shared/ports/user-store'

export interface VerifyDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly posts: Pick<PostStore, 'feedIds'>
  readonly timelines: Pick<TimelineStore, 'read'>
  /** The wait before a window that lacks posts is read again: they may be on their way. */
  readonly wait: () => Promise<void>
}

/** How a window compares with SQL. */
export type Finding =
  | { readonly state: 'equal' }
  /** None, or one of another graph version: the next read rebuilds it. */
  | { readonly state: 'none' }
  /** Posts of the feed that the window should hold and lacks, newest first. */
  | { readonly state: 'drift'; readonly missing: readonly PostId[] }

const LOOKS = 4
/** Larger than any window. */
const WHOLE = 2 * TIMELINE_CAP

/**
 * Compares a user's window with the feed that SQL says, at or above its floor. What a window holds beyond
 * that (deleted posts, pushes that came after an unfollow) is no drift: each read leaves it out.
 */
export async function verifyWindow(deps: VerifyDeps, user: UserId): Promise<Finding> {
  const { users, posts, timelines, wait } = deps
  for (let look = 1; ; look += 1) {
    const account = await users.findAccount(user)
    const slice = await timelines.read(user, { before: null, limit: WHOLE })
    if (!account || slice.state !== 'ready' || slice.graphVersion !== account.graphVersion) {
      return { state: 'none' }
    }
    const held = new Set(slice.ids)
    const truth = await posts.feedIds(user, { before: null, limit: WHOLE })
    const missing = truth.filter((id) => id >= slice.floor && !held.has(id))
    if (missing.length === 0) return { state: 'equal' }
    if (look === LOOKS) return { state: 'drift', missing }
    await wait()
  }
}

/** Rebuilds a user's window from SQL, as a read of the feed would. False if another rebuild is running. */
export async function rebuildWindow(
  {
    users,
    posts,
    timelines,
  }: Omit<VerifyDeps, 'timelines' | 'wait'> & {
    readonly timelines: Pick<TimelineStore, 'beginRebuild' | 'finishRebuild'>
  },
  user: UserId,
): Promise<boolean> {
  const account = await users.findAccount(user)
  if (!account) return false
  const token = await timelines.beginRebuild(user)
  if (!token) return false
  const ids = await posts.feedIds(user, { before: null, limit: TIMELINE_CAP })
  const { graphVersion } = account
  const complete = ids.length < TIMELINE_CAP
  return timelines.finishRebuild(user, token, { ids, complete, graphVersion })
}
