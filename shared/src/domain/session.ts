import type { SessionId, UserId } from './id'

/** A log-in and all the refreshes that go on with it. Times are Unix milliseconds. */
export interface Session {
  readonly id: SessionId
  readonly createdAt: number
  /** Its last refresh, or its start. */
  readonly lastUsedAt: number
  /** The latest it can last; it ends sooner where its refresh token is not used in time. */
  readonly expiresAt: number
}

/** What an access token says: whose it is, and which session it came from. */
export interface Grant {
  readonly userId: UserId
  readonly sessionId: SessionId
  /** The account's `session_epoch` when it was given: a change of the password raises that. */
  readonly epoch: number
}

/**
 * How long a refresh token that was just replaced is still honoured, once: two tabs that refresh at the
 * same time, or an answer that was lost, are no theft.
 */
export const REFRESH_GRACE_MS = 10_000
