import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { UserId } from '../domain/id'
import { SnsError } from '../errors/sns-error'
import type { NewRefreshToken, SessionStore } from '../ports/session-store'
import type { UserStore } from '../ports/user-store'
import { signUp } from './people'

export interface SessionStoreHarness extends AsyncDisposable {
  readonly users: UserStore
  readonly sessions: SessionStore
}

const NOW = Date.UTC(2026, 5, 1)
const LATER = NOW + 3_600_000

/** What every `SessionStore` promises. The tests share one store, each with people of its own. */
export function sessionStoreConformance(create: () => Promise<SessionStoreHarness>): void {
  describe('SessionStore', () => {
    let harness: SessionStoreHarness
    let sessions: SessionStore

    beforeAll(async () => {
      harness = await create()
      sessions = harness.sessions
    })
    afterAll(() => harness[Symbol.asyncDispose]())

    async function startSession(): Promise<{ userId: UserId; first: NewRefreshToken }> {
      const { id: userId } = await signUp(harness.users)
      const first = token()
      await sessions.start(userId, crypto.randomUUID(), first)
      return { userId, first }
    }

    const rotate = (from: NewRefreshToken, to: NewRefreshToken, now = NOW) =>
      outcome(sessions.rotate(from.hash, to, now))

    test('hands on from token to token', async () => {
      const { userId, first } = await startSession()
      const [second, third] = [token(), token()]
      expect(await rotate(first, second)).toEqual({ userId })
      expect(await rotate(second, third)).toEqual({ userId })
    })

    test('ends the family when a replaced token comes back', async () => {
      const { first } = await startSession()
      const [second, third] = [token(), token()]
      await rotate(first, second)
      await rotate(second, third)
      expect(await rotate(first, token())).toBe('refresh_token_reused')
      for (const any of [first, second, third]) {
        expect(await rotate(any, token())).toBe('refresh_token_invalid')
      }
    })

    test('leaves other families of the same user alone', async () => {
      const { userId, first } = await startSession()
      const other = token()
      await sessions.start(userId, crypto.randomUUID(), other)
      await rotate(first, token())
      expect(await rotate(first, token())).toBe('refresh_token_reused')
      expect(await rotate(other, token())).toEqual({ userId })
    })

    test('lets one of 20 uses at once win and calls the others a reuse', async () => {
      const { userId, first } = await startSession()
      const nexts = Array.from({ length: 20 }, () => token())
      const results = await Promise.all(nexts.map((next) => rotate(first, next)))
      expect(results.filter((result) => typeof result === 'object')).toEqual([{ userId }])
      const refusals = results.filter((result) => typeof result === 'string')
      expect(refusals).toContain('refresh_token_reused')
      // The first reuse ends the family, so whoever comes after it meets a revoked token.
      expect(refusals.every((code) => /^refresh_token_(reused|invalid)$/.test(code))).toBeTrue()
      for (const next of nexts) expect(await rotate(next, token())).toBe('refresh_token_invalid')
    })

    test('refuses unknown and expired tokens', async () => {
      const { first } = await startSession()
      expect(await rotate(token(), token())).toBe('refresh_token_invalid')
      expect(await rotate(first, token(), first.expiresAt)).toBe('refresh_token_invalid')
      expect(await rotate(first, token(), first.expiresAt - 1)).toBeObject()
    })

    test('an expired token is no reuse', async () => {
      const { userId, first } = await startSession()
      await rotate(first, token(), first.expiresAt + 1)
      expect(await rotate(first, token())).toEqual({ userId })
    })

    test('ends a family by any of its tokens', async () => {
      const { first } = await startSession()
      const second = token()
      await rotate(first, second)
      await sessions.end(first.hash)
      expect(await rotate(second, token())).toBe('refresh_token_invalid')
      await sessions.end(first.hash)
      await sessions.end(token().hash)
    })

    test('leaves no live token when a session ends while it is handed on', async () => {
      for (let round = 0; round < 10; round++) {
        const { first } = await startSession()
        const second = token()
        await Promise.all([rotate(first, second), sessions.end(first.hash)])
        expect(await rotate(second, token())).toBe('refresh_token_invalid')
      }
    })

    test('ends all families of a user, and only theirs', async () => {
      const [mine, others] = [await startSession(), await startSession()]
      const second = token()
      await sessions.start(mine.userId, crypto.randomUUID(), second)
      await sessions.endAll(mine.userId)
      expect(await rotate(mine.first, token())).toBe('refresh_token_invalid')
      expect(await rotate(second, token())).toBe('refresh_token_invalid')
      expect(await rotate(others.first, token())).toEqual({ userId: others.userId })
    })

    test('forgets expired tokens and no others', async () => {
      const { userId } = await signUp(harness.users).then(({ id }) => ({ userId: id }))
      const [short, long] = [token(NOW + 1), token(LATER)]
      await sessions.start(userId, crypto.randomUUID(), short)
      await sessions.start(userId, crypto.randomUUID(), long)
      await sessions.prune(NOW + 2)
      expect(await rotate(short, token(), NOW)).toBe('refresh_token_invalid')
      expect(await rotate(long, token())).toEqual({ userId })
    })

    test('ends with the account', async () => {
      const { userId, first } = await startSession()
      await harness.users.delete(userId)
      expect(await rotate(first, token())).toBe('refresh_token_invalid')
      expect(await outcome(sessions.start(userId, crypto.randomUUID(), token()))).toBe(
        'unauthenticated',
      )
    })
  })
}

function token(expiresAt = LATER): NewRefreshToken {
  const hash = new Bun.CryptoHasher('sha256').update(crypto.randomUUID()).digest('hex')
  return { hash, expiresAt }
}

/** What came of it: the value, or the code of the error. */
async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof SnsError) return error.code
    throw error
  }
}
