import { createHash, randomBytes } from 'node:crypto'
import type { NewRefreshToken } from '@sns/shared/ports/session-store'

const REFRESH_TOKEN_MS = 30 * 24 * 3600 * 1000

/** 256 random bits for the client, their SHA-256 for the store. */
export function newRefreshToken(now: number): { token: string; stored: NewRefreshToken } {
  const token = randomBytes(32).toString('base64url')
  return { token, stored: { hash: hashToken(token), expiresAt: now + REFRESH_TOKEN_MS } }
}

/** Hex. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
