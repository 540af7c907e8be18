import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { SessionId } from '../domain/id'
import { type Grant, REFRESH_GRACE_MS } from '../domain/session'
import type { User } from '../domain/user'
import { SnsError } from '../errors/sns-error'
import type { NewRefreshToken, SessionStore } from '../ports/session-store'
import type { UserStore } from '../ports/user-store'
import { freshToken, freshUserId, passwordHashOf, signUp, startSession } from './people'

export interface SessionStoreHarness extends AsyncDisposable {
  readonly users: UserStore
  readonly sessions: SessionStore
}

const NOW = Date.UTC(2026, 5, 1)
const LATER = NOW + 3_600_000
const END = NOW + 7_200_000

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

    interface Started {
      readonly user: User
      readonly first: NewRefreshToken
      readonly grant: Grant
    }

    async function start(of?: User, first = token()): Promise<Started> {
      const user = of ?? (await signUp(harness.users))
      const grant = await startSession(sessions, user, { now: NOW, expiresAt: END, token: first })
      return { user, first, grant }
    }

    const rotate = (from: NewRefreshToken, to: NewRefreshToken, now = NOW) =>
      outcome(sessions.rotate(from.hash, to, now))

    const isLive = async (grant: Grant, now = NOW) =>
      (await sessions.findViewer(grant, now)) !== null

    const idsOf = async (user: User, now = NOW) =>
      (await sessions.list(user.id, { before: null, limit: 100 }, now)).items.map(({ id }) => id)

    describe('starting', () => {
      test('gives a grant under which the account is found', async () => {
        const { user, grant } = await start()
        expect(grant).toMatchObject({ userId: user.id, epoch: 0 })
        expect(await sessions.findViewer(grant, NOW)).toMatchObject({ ...user, graphVersion: 0 })
      })

      test('is refused once the password is another than the one that was checked', async () => {
        const user = await signUp(harness.users)
        const passwordHash = passwordHashOf(user.username)
        // A log-in has checked the password; then the password changes.
        await harness.users.updatePassword(user.id, { from: passwordHash, to: 'another' })
        expect(await outcome(startSession(sessions, user))).toBe('bad_credentials')
        expect(await idsOf(user)).toEqual([])
      })

      test('at once with a change of the password leaves no session of the old one', async () => {
        for (let round = 0; round < 10; round++) {
          const user = await signUp(harness.users)
          const from = passwordHashOf(user.username)
          const [started] = await Promise.all([
            outcome(startSession(sessions, user, { now: NOW, expiresAt: END })),
            harness.users.updatePassword(user.id, { from, to: 'another' }),
          ])
          if (typeof started === 'object') expect(await isLive(started)).toBeFalse()
          expect(await idsOf(user)).toEqual([])
        }
      })

      test('takes the next id where the given one is taken', async () => {
        const { user, grant } = await start()
        const again = await sessions.start(
          {
            id: grant.sessionId,
            userId: user.id,
            passwordHash: passwordHashOf(user.username),
            expiresAt: END,
            token: token(),
          },
          NOW,
        )
        expect(again.sessionId as number).toBe(grant.sessionId + 1)
      })

      test('is refused to an account that is gone', async () => {
        const { user } = await start()
        await harness.users.delete(user.id)
        expect(await outcome(startSession(sessions, user))).toBe('unauthenticated')
      })
    })

    describe('refreshing', () => {
      test('hands on from token to token', async () => {
        const { grant, first } = await start()
        const [second, third] = [token(), token()]
        expect(await rotate(first, second)).toEqual(grant)
        expect(await rotate(second, third)).toEqual(grant)
      })

      test('honours the token just replaced once more, for ten seconds', async () => {
        for (const [after, expected] of [
          [0, 'object'],
          [REFRESH_GRACE_MS, 'object'],
          [REFRESH_GRACE_MS + 1, 'string'],
        ] as const) {
          const { first } = await start()
          await rotate(first, token())
          expect(typeof (await rotate(first, token(), NOW + after))).toBe(expected)
        }
      })

      test('ends the session when a replaced token comes a third time', async () => {
        const { grant, first } = await start()
        const [second, twin] = [token(), token()]
        await rotate(first, second)
        expect(await rotate(first, twin)).toEqual(grant)
        expect(await isLive(grant)).toBeTrue()
        expect(await rotate(first, token())).toBe('refresh_token_reused')
        expect(await isLive(grant)).toBeFalse()
        for (const any of [first, second, twin]) {
          expect(await rotate(any, token())).toBe('refresh_token_invalid')
        }
      })

      test('refreshes with either twin; the other then counts as just replaced', async () => {
        for (const late of [false, true]) {
          const { grant, first } = await start()
          const [second, twin] = [token(), token()]
          await rotate(first, second)
          await rotate(first, twin)
          expect(await rotate(twin, token())).toEqual(grant)
          const other = await rotate(second, token(), NOW + (late ? REFRESH_GRACE_MS + 1 : 1))
          expect(other).toEqual(late ? 'refresh_token_reused' : grant)
        }
      })

      test('takes an older token for stolen, also within ten seconds', async () => {
        const { grant, first } = await start()
        const second = token()
        await rotate(first, second)
        await rotate(second, token())
        expect(await rotate(first, token())).toBe('refresh_token_reused')
        expect(await isLive(grant)).toBeFalse()
      })

      test('leaves other sessions of the same user alone', async () => {
        const { user, first } = await start()
        const other = await start(user)
        await rotate(first, token())
        await rotate(first, token(), NOW + REFRESH_GRACE_MS + 1)
        expect(await idsOf(user)).toEqual([other.grant.sessionId])
        expect(await rotate(other.first, token())).toEqual(other.grant)
      })

      test('20 times at once with one token: two are honoured, the third ends the session', async () => {
        const { grant, first } = await start()
        const nexts = Array.from({ length: 20 }, () => token())
        const results = await Promise.all(nexts.map((next) => rotate(first, next)))
        expect(results.filter((result) => typeof result === 'object')).toEqual([grant, grant])
        expect(results.filter((result) => result === 'refresh_token_reused')).toHaveLength(1)
        expect(results.filter((result) => result === 'refresh_token_invalid')).toHaveLength(17)
        for (const next of nexts) expect(await rotate(next, token())).toBe('refresh_token_invalid')
      })

      test('refuses unknown and expired tokens', async () => {
        const { first } = await start()
        expect(await rotate(token(), token())).toBe('refresh_token_invalid')
        expect(await rotate(first, token(), first.expiresAt)).toBe('refresh_token_invalid')
        expect(await rotate(first, token(), first.expiresAt - 1)).toBeObject()
      })

      test('an expired token is no reuse', async () => {
        const { grant, first } = await start()
        await rotate(first, token(), first.expiresAt + 1)
        expect(await rotate(first, token())).toEqual(grant)
      })

      test('never goes past the end of the session', async () => {
        const { grant, user, first } = await start()
        const second = token(END + 1_000_000)
        expect(await rotate(first, second)).toEqual(grant)
        expect(await idsOf(user, END - 1)).toEqual([grant.sessionId])
        expect(await isLive(grant, END - 1)).toBeTrue()
        expect(await isLive(grant, END)).toBeFalse()
        expect(await idsOf(user, END)).toEqual([])
        expect(await rotate(second, token(END + 1_000_000), END)).toBe('refresh_token_invalid')
      })

      test('any sequence of uses and pauses fares as the rule says', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(
              fc.record({
                // Counted back from the newest token, so that most sequences use valid tokens.
                back: fc.oneof(fc.constant(0), fc.nat(3)),
                pauseMs: fc.constantFrom(0, 0, 1, 5_000, REFRESH_GRACE_MS, REFRESH_GRACE_MS + 1),
              }),
              { maxLength: 8 },
            ),
            async (uses) => {
              const { grant, first } = await start()
              const model = createModel(first)
              let now = NOW
              for (const { back, pauseMs } of uses) {
                now += pauseMs
                const next = token(END)
                const used = model.tokens.at(-1 - (back % model.tokens.length)) ?? first
                const expected = model.use(used, next, now)
                expect(await rotate(used, next, now)).toEqual(expected ?? grant)
                expect(await isLive(grant, now)).toBe(model.isLive())
              }
            },
          ),
          { numRuns: 60 },
        )
      }, 60_000)
    })

    describe('a grant', () => {
      test('is good for no other account, session or epoch', async () => {
        const [mine, other] = [await start(), await start()]
        expect(await isLive(mine.grant)).toBeTrue()
        for (const change of [
          { userId: other.user.id },
          { sessionId: other.grant.sessionId },
          { sessionId: 1 as SessionId },
          { userId: freshUserId() },
          { epoch: 1 },
          { epoch: -1 },
        ]) {
          expect(await isLive({ ...mine.grant, ...change })).toBeFalse()
        }
      })

      test('knows the account as it is now', async () => {
        const { user, grant } = await start()
        await harness.users.updateDisplayName(user.id, 'renamed')
        await harness.users.touchGraph([user.id])
        expect(await sessions.findViewer(grant, NOW)).toMatchObject({
          ...user,
          displayName: 'renamed',
          graphVersion: 1,
        })
      })

      test('of an earlier epoch is refused, whichever sessions exist', async () => {
        const { user, grant } = await start()
        const change = { from: passwordHashOf(user.username), to: passwordHashOf(user.username) }
        await harness.users.updatePassword(user.id, change)
        const next = await start(user)
        expect(next.grant.epoch).toBe(1)
        expect(await isLive(next.grant)).toBeTrue()
        expect(await isLive({ ...next.grant, epoch: grant.epoch })).toBeFalse()
      })

      test('goes with the account', async () => {
        const { user, grant, first } = await start()
        await harness.users.delete(user.id)
        expect(await isLive(grant)).toBeFalse()
        expect(await rotate(first, token())).toBe('refresh_token_invalid')
      })
    })

    describe('ending', () => {
      test('a session by its id, if it is one’s own', async () => {
        const [mine, others] = [await start(), await start()]
        expect(await sessions.end(mine.user.id, others.grant.sessionId)).toBeFalse()
        expect(await isLive(others.grant)).toBeTrue()
        expect(await sessions.end(mine.user.id, mine.grant.sessionId)).toBeTrue()
        expect(await isLive(mine.grant)).toBeFalse()
        expect(await rotate(mine.first, token())).toBe('refresh_token_invalid')
        expect(await sessions.end(mine.user.id, mine.grant.sessionId)).toBeFalse()
      })

      test('a session by any of its tokens', async () => {
        const { grant, first } = await start()
        const second = token()
        await rotate(first, second)
        await sessions.endByToken(first.hash)
        expect(await isLive(grant)).toBeFalse()
        expect(await rotate(second, token())).toBe('refresh_token_invalid')
        await sessions.endByToken(first.hash)
        await sessions.endByToken(token().hash)
      })

      test('leaves no live token when it happens while one is handed on', async () => {
        for (let round = 0; round < 10; round++) {
          const { grant, first } = await start()
          const second = token()
          await Promise.all([rotate(first, second), sessions.endByToken(first.hash)])
          expect(await rotate(second, token())).toBe('refresh_token_invalid')
          expect(await isLive(grant)).toBeFalse()
        }
      })
    })

    test('lists the sessions of one user in pages, latest start first', async () => {
      const { user, grant, first } = await start()
      const started = [grant.sessionId]
      for (let n = 0; n < 4; n++) started.unshift((await start(user)).grant.sessionId)
      await start()
      await rotate(first, token(), NOW + 1_000)
      const seen = []
      let before: SessionId | null = null
      do {
        const page = await sessions.list(user.id, { before, limit: 2 }, NOW)
        seen.push(...page.items)
        before = page.next
      } while (before !== null)
      expect(seen.map(({ id }) => id)).toEqual(started)
      const last = { id: grant.sessionId, createdAt: NOW, lastUsedAt: NOW + 1_000, expiresAt: END }
      expect(seen.at(-1)).toEqual(last)
    })

    test('forgets what has expired and nothing else', async () => {
      const { user, first: long, grant } = await start()
      const short = await start(user, token(NOW + 1))
      await sessions.prune(NOW + 2)
      expect(await rotate(short.first, token(), NOW)).toBe('refresh_token_invalid')
      expect(await idsOf(user, NOW)).toEqual([grant.sessionId])
      expect(await rotate(long, token())).toEqual(grant)
    })
  })
}

const token = (expiresAt = LATER) => freshToken(expiresAt)

/** The rule for refreshes in the fewest words: generations of tokens, of which the last is good. */
function createModel(first: NewRefreshToken) {
  const generations = new Map([[first.hash, 0]])
  const tokens = [first]
  let current = 0
  let replacedAt = 0
  let extra = 0
  let isLive = true
  return {
    tokens,
    isLive: () => isLive,
    /** Null where `next` is given, else the code of the error. */
    use(used: NewRefreshToken, next: NewRefreshToken, now: number): string | null {
      if (!isLive) return 'refresh_token_invalid'
      const generation = generations.get(used.hash)
      if (generation === current) {
        current += 1
        replacedAt = now
        extra = 1
      } else if (generation === current - 1 && extra === 1 && now - replacedAt <= 10_000) {
        extra = 0
      } else {
        isLive = false
        return 'refresh_token_reused'
      }
      generations.set(next.hash, current)
      tokens.push(next)
      return null
    },
  }
}

/** The value, or the code of the error. */
async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof SnsError) return error.code
    throw error
  }
}
