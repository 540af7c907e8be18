import type { UserId } from '../domain/id'

export interface NewRefreshToken {
  /** SHA-256 of the token, hex; the token itself is never stored. */
  readonly hash: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/**
 * Families of rotating refresh tokens (OAuth 2.0 Security BCP, RFC 9700 section 4.14): each use of a
 * token replaces it; the use of a replaced one means it leaked and ends the family.
 *
 * Errors: `unauthenticated` (`start` for an account that is gone), those of `rotate`,
 * `store_unavailable`.
 */
export interface SessionStore {
  start(userId: UserId, familyId: string, token: NewRefreshToken): Promise<void>
  /**
   * Replaces the token in one atomic step, so that of two concurrent uses one wins and the other is
   * a reuse. Errors: `refresh_token_invalid` (unknown, expired at `now`, revoked),
   * `refresh_token_reused` (the family is revoked when this is thrown).
   */
  rotate(hash: string, next: NewRefreshToken, now: number): Promise<{ readonly userId: UserId }>
  /** Ends the family of a token; unknown tokens are ignored. */
  end(hash: string): Promise<void>
  endAll(userId: UserId): Promise<void>
  /** Forgets tokens that expired before `now`. */
  prune(now: number): Promise<void>
}
