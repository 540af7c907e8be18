import type { SessionId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { Grant, Session } from '../domain/session'
import type { Account } from '../domain/user'
import { SnsError } from '../errors/sns-error'

export interface NewRefreshToken {
  /** SHA-256 of the token, hex; the token itself is never stored. */
  readonly hash: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

export interface NewSession {
  /** The store takes the next where it is taken. */
  readonly id: SessionId
  readonly userId: UserId
  /** The hash that the password was checked against. */
  readonly passwordHash: string
  /** The latest that the session can last, however often it is refreshed. */
  readonly expiresAt: number
  readonly token: NewRefreshToken
}

/** The account that a request speaks for. */
export interface Viewer extends Account {
  /** When its session ends unless it is refreshed. */
  readonly liveUntil: number
}

export interface SessionPage {
  readonly before: SessionId | null
  readonly limit: number
}

/** A refresh token came back that was used up; its session has ended. */
export class RefreshTokenReused extends SnsError {
  constructor(readonly userId: UserId) {
    super('refresh_token_reused')
  }
}

/**
 * Sessions, each with its rotating refresh tokens (OAuth 2.0 Security BCP, RFC 9700 section 4.14). Every
 * change locks the account first. `now` is Unix milliseconds.
 *
 * A refresh replaces the session's tokens by a new one. For `REFRESH_GRACE_MS` after that, one more
 * refresh with a token that it replaced is honoured: it gives the new token a twin and replaces nothing.
 * Twins are equal: the first refresh with either replaces both. Every other use of a replaced token
 * means that it leaked and ends the session. So of two holders of a session's tokens, one is found out
 * as soon as both have refreshed again.
 *
 * Errors: `store_unavailable` of every call.
 */
export interface SessionStore {
  /**
   * Errors: `bad_credentials` (the account's password hash is no longer `passwordHash`),
   * `unauthenticated` (the account is gone).
   */
  start(session: NewSession, now: number): Promise<Grant>
  /**
   * In one atomic step. `next` expires no later than its session. Errors: `refresh_token_invalid`
   * (unknown, expired, or its session has ended), `RefreshTokenReused` (the session has ended when
   * this is thrown).
   */
  rotate(hash: string, next: NewRefreshToken, now: number): Promise<Grant>
  /**
   * The one place that decides whether an access token is still good: the account that it speaks for,
   * or null where the account is gone, its epoch is another, or the session has ended or expired. One
   * statement by primary keys, as every request asks.
   */
  findViewer(grant: Grant, now: number): Promise<Viewer | null>
  /** Open sessions, latest start first. */
  list(userId: UserId, page: SessionPage, now: number): Promise<Page<Session, SessionId>>
  /** False where the user has no such session. */
  end(userId: UserId, id: SessionId): Promise<boolean>
  /**
   * Ends the session of a refresh token, replaced ones included. Whose it was; null of unknown tokens,
   * which are ignored.
   */
  endByToken(hash: string): Promise<UserId | null>
  /** Forgets sessions and tokens that expired before `now`. */
  prune(now: number): Promise<void>
}
