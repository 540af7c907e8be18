import type { FollowId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { User } from '../domain/user'

/**
 * Follows, blocks and mutes. Every call that changes what a user's feed is made of raises that user's
 * `graphVersion` in the same transaction: the follower's for follows, the muter's for mutes, for
 * blocks that of whoever loses a follow by it; nothing is raised where nothing changed, nor by unblocking. All changes are idempotent.
 *
 * Errors: `blocked` (following across a block); of follow, block and mute `self_target` (oneself),
 * `unauthenticated` (the account that acts is gone), `not_found` (the other is); undoing any of them
 * never fails for who is gone. `store_unavailable` of every call.
 */
export interface GraphStore {
  follow(follower: UserId, followee: UserId): Promise<void>
  /** This, `unblock` and `unmute` are false where there was nothing to undo. */
  unfollow(follower: UserId, followee: UserId): Promise<boolean>
  /** Ends the follows in both directions in the same transaction. */
  block(blocker: UserId, blocked: UserId): Promise<void>
  unblock(blocker: UserId, blocked: UserId): Promise<boolean>
  mute(muter: UserId, muted: UserId): Promise<void>
  unmute(muter: UserId, muted: UserId): Promise<boolean>
  isBlockedBy(user: UserId, by: UserId): Promise<boolean>
  isBlockedEitherWay(a: UserId, b: UserId): Promise<boolean>
  /** Everyone on the other side of a block with `viewer`. */
  blockedEitherWay(viewer: UserId): Promise<readonly UserId[]>
  /** Whom `blocker` blocks, latest block first: those too who block them in return. */
  blocks(blocker: UserId, page: RelationshipPage): Promise<Page<User, RelationshipKey>>
  /** Whom `muter` mutes, latest mute first; without those on the other side of a block. */
  mutes(muter: UserId, page: RelationshipPage): Promise<Page<User, RelationshipKey>>
  /** Latest follow first; without those hidden from `viewer`. */
  followers(of: UserId, viewer: UserId, page: FollowPage): Promise<Page<User, FollowId>>
  following(of: UserId, viewer: UserId, page: FollowPage): Promise<Page<User, FollowId>>
  /** Those of `authors` who have fewer than `limit` followers. One statement. */
  withFewerFollowers(authors: readonly UserId[], limit: number): Promise<readonly UserId[]>
  /**
   * The followers of several authors at once, for fan-out: at most `limit` pairs with a follow id
   * above `after`, by author and follow id. Ask again from the last pair until fewer come.
   */
  followersOf(
    authors: readonly UserId[],
    after: FollowPair | null,
    limit: number,
  ): Promise<readonly FollowPair[]>
}

export interface FollowPage {
  readonly before: FollowId | null
  readonly limit: number
}

export interface RelationshipPage {
  readonly before: RelationshipKey | null
  readonly limit: number
}

/** The place of a block or a mute in its list. */
export interface RelationshipKey {
  /** When it was made, in Unix milliseconds. */
  readonly at: number
  readonly user: UserId
}

export interface FollowPair {
  readonly author: UserId
  readonly follower: UserId
  readonly followId: FollowId
}
