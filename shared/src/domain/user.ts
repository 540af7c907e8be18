import type { UserId } from './id'

/** The public part of a user. Usernames are ASCII, keep their case and are compared without it. */
export interface User {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** The author of a post or comment. */
export type Author = Pick<User, 'id' | 'username' | 'displayName'>

/** The signed-in user, as every request needs it. */
export interface Account extends User {
  /**
   * Grows in the same transaction as every change of what the user's feed is made of (follow, block,
   * mute and their reversals). A cached timeline built under another version is not read.
   */
  readonly graphVersion: number
}

export const USERNAME_MAX = 30
export const USERNAME_PATTERN = `^[A-Za-z0-9_]{2,${USERNAME_MAX}}$`
/** How long nobody can take the username of a deleted account. */
export const USERNAME_REST_MS = 30 * 24 * 3600 * 1000
export const DISPLAY_NAME_MAX = 50
export const PASSWORD_MIN = 8
export const PASSWORD_MAX = 128
