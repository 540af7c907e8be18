import type { UserId } from '../domain/id'
import type { Account, User } from '../domain/user'

export interface NewUser {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  readonly passwordHash: string
}

export interface Profile extends User {
  readonly counts: {
    readonly followers: number
    readonly following: number
    readonly posts: number
  }
  readonly viewer: {
    readonly following: boolean
    readonly followedBy: boolean
    readonly muted: boolean
  }
}

export interface PasswordChange {
  /** The hash that the current password was checked against. */
  readonly from: string
  readonly to: string
}

/**
 * Accounts. Usernames are unique and looked up without regard to case. The username of a deleted account
 * rests for `USERNAME_REST_MS`: nobody can take it, so that nobody can pass for who is gone.
 *
 * Errors: `username_taken` (a resting one too), `invalid_request` (a username that nobody can have, on `create`),
 * `store_unavailable`. A user on either side of a block is absent for the other wherever a `viewer` is
 * asked for.
 */
export interface UserStore {
  /** Takes the next id itself where the given one is taken. */
  create(user: NewUser): Promise<User>
  findAccount(id: UserId): Promise<Account | null>
  /** The ids of all users above `after`, ascending, at most `limit`. */
  ids(after: UserId | null, limit: number): Promise<readonly UserId[]>
  findByUsername(username: string): Promise<User | null>
  /** The ids of those who have these names, by the name as it was given. One statement. */
  findIdsByUsername(usernames: readonly string[]): Promise<ReadonlyMap<string, UserId>>
  findProfile(username: string, viewer: UserId): Promise<Profile | null>
  /** Those of `ids` that `viewer` may see, in no particular order. */
  findVisible(ids: readonly UserId[], viewer: UserId): Promise<readonly User[]>
  findCredentials(
    username: string,
  ): Promise<{ readonly user: User; readonly passwordHash: string } | null>
  updateDisplayName(id: UserId, displayName: string): Promise<User | null>
  /** Raises the `graphVersion` of each, so that the next read of their feed rebuilds the timeline from SQL. */
  touchGraph(ids: readonly UserId[]): Promise<void>
  /**
   * Ends every session in the same transaction, and with them their access tokens. False, and nothing
   * changed, where the stored hash is no longer `from` or the account is gone.
   */
  updatePassword(id: UserId, change: PasswordChange): Promise<boolean>
  /**
   * Takes the account away at once and for good: nobody can act by it and nothing of it is shown any
   * more. The username rests from then on. Then removes every row that it wrote or that points at it:
   * posts with their likes and comments, follows, blocks, mutes, likes, comments; counts of others'
   * posts follow. Rows that would take longer than a second or two are left to `finishDeletions`. False, and
   * nothing changed, where `passwordHash` is given and is no longer the stored one.
   */
  delete(id: UserId, passwordHash?: string): Promise<boolean>
  /** Goes on with deletions that were stopped or are large, until all are done or the signal aborts. */
  finishDeletions(signal: AbortSignal): Promise<void>
  /** Forgets usernames whose rest was over at `now` (Unix milliseconds). */
  pruneUsernames(now: number): Promise<void>
}
