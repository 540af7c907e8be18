import type { SessionId, UserId } from './id'

/** A sign-in with all its refreshes. Times are Unix milliseconds. */
export interface Session {
  readonly id: SessionId
  readonly createdAt: number
  /** The time of the last refresh, or of the start. */
  readonly lastUsedAt: number
  /** The latest it can last; it ends earlier if its refresh token is not used in time. */
  readonly expiresAt: number
}

/** The claims of an access token: its user and its session. */
export interface Grant {
  readonly userId: UserId
  readonly sessionId: SessionId
  /** The account's `session_epoch` when the token was issued; a password change raises it. */
  readonly epoch: number
}

/**
 * How long a refresh token that was just replaced is still honoured, once: two tabs that refresh at the
 * same time, or an answer that was lost, are no theft.
 */
export const REFRESH_GRACE_MS = 10_000
