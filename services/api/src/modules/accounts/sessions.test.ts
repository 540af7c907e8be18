import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { decodeJwt, SignJWT } from 'jose'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi } from '../../testing/test-api'
import { User } from '../users/schema'
import { OpenSessionPage, Session } from './schema'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const DAY_MS = 24 * 3600 * 1000

function refresh(refreshToken: string) {
  return api.request('POST', '/v1/auth/refresh', { body: { refreshToken } })
}

describe('access tokens', () => {
  test('are good for fifteen minutes', async () => {
    const user = await api.signUp('fifteen')
    api.clock.advance(15 * 60 * 1000 - 1_000)
    expectBody(await api.request('GET', '/v1/me', { as: user }), 200, User)
    api.clock.advance(1_000)
    expectProblem(await api.request('GET', '/v1/me', { as: user }), 'unauthenticated')
  })

  test('end with the account', async () => {
    const user = await api.signUp('leaving')
    expectBody(await api.request('GET', '/v1/me', { as: user }), 200, User)
    const body = { password: PASSWORD }
    expectNoContent(await api.request('DELETE', '/v1/me', { as: user, body }))
    expectProblem(await api.request('GET', '/v1/me', { as: user }), 'unauthenticated')
    expectProblem(
      await api.request('POST', '/v1/posts', { as: user, body: { text: 'still here?' } }),
      'unauthenticated',
    )
    expectProblem(await refresh(user.session.refreshToken), 'refresh_token_invalid')
  })

  test('must be signed by us, for us, by the one algorithm', async () => {
    const { id, session } = await api.signUp('forger')
    const { sid, epoch } = decodeJwt(session.accessToken)
    const now = Math.floor(api.clock.now() / 1000)
    const good = {
      sub: String(id),
      iss: 'sns',
      aud: 'sns-api',
      exp: now + 60,
      sid,
      epoch,
    }
    const token = (change: { key?: string; alg?: string; claims?: object }) =>
      new SignJWT({ ...good, ...change.claims })
        .setProtectedHeader({ alg: change.alg ?? 'HS256' })
        .sign(new TextEncoder().encode(change.key ?? api.deps.settings.secretKey))
    expectBody(await api.request('GET', '/v1/me', { as: await token({}) }), 200, User)
    for (const change of [
      { key: 'another key that is long enough' },
      { alg: 'HS512' },
      { claims: { iss: 'someone' } },
      { claims: { aud: 'something' } },
      // Without an end it would be good for ever.
      { claims: { exp: undefined } },
      { claims: { sub: undefined } },
      { claims: { sid: undefined } },
      { claims: { sid: Number(sid) } },
      { claims: { epoch: undefined } },
      { claims: { epoch: String(epoch) } },
    ]) {
      expectProblem(
        await api.request('GET', '/v1/me', { as: await token(change) }),
        'unauthenticated',
      )
    }
    const none = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(good))}.`
    expectProblem(await api.request('GET', '/v1/me', { as: none }), 'unauthenticated')
  })

  test.each(['', 'Basic bWluamk6eA==', 'Bearer', 'Bearer a b', 'Bearer ..', 'bearer\tx'])(
    'cannot be %p',
    async (authorization) => {
      const answer = await api.request('GET', '/v1/me', { headers: { authorization } })
      expectProblem(answer, 'unauthenticated')
      expect(answer.headers.get('www-authenticate')).toStartWith('Bearer')
    },
  )
})

describe('refreshing', () => {
  test('replaces the refresh token and goes on', async () => {
    const { session } = await api.signUp('onward')
    const first = await refresh(session.refreshToken)
    expectBody(first, 200, Session)
    expect(first.body.refreshToken).not.toBe(session.refreshToken)
    expectBody(await api.request('GET', '/v1/me', { as: first.body.accessToken }), 200, User)
    expectBody(await refresh(first.body.refreshToken), 200, Session)
  })

  test('with a used token more than ten seconds later ends the whole session', async () => {
    const { session } = await api.signUp('leaked')
    const next = await refresh(session.refreshToken)
    api.clock.advance(10_001)
    expectProblem(await refresh(session.refreshToken), 'refresh_token_reused')
    expectProblem(await refresh(next.body.refreshToken), 'refresh_token_invalid')
  })

  test('twice at once, as two tabs do, is honoured, and each can go on', async () => {
    for (const turn of [0, 1]) {
      const { session } = await api.signUp(`two_tabs_${turn}`)
      const answers = await Promise.all([
        refresh(session.refreshToken),
        refresh(session.refreshToken),
      ])
      for (const answer of answers) {
        expectBody(answer, 200, Session)
        expectBody(await api.request('GET', '/v1/me', { as: answer.body.accessToken }), 200, User)
      }
      expectBody(await refresh(answers[turn]!.body.refreshToken), 200, Session)
    }
  })

  test('again after the answer was lost goes on, a third time does not', async () => {
    const { session } = await api.signUp('lost_answer')
    await refresh(session.refreshToken)
    api.clock.advance(10_000)
    const again = await refresh(session.refreshToken)
    expectBody(again, 200, Session)
    const next = await refresh(again.body.refreshToken)
    expectBody(next, 200, Session)
    expectProblem(await refresh(session.refreshToken), 'refresh_token_reused')
    expectProblem(await refresh(next.body.refreshToken), 'refresh_token_invalid')
  })

  test('works for thirty days', async () => {
    const { session } = await api.signUp('monthly')
    api.clock.advance(30 * DAY_MS - 1_000)
    const next = await refresh(session.refreshToken)
    expectBody(next, 200, Session)
    api.clock.advance(30 * DAY_MS)
    expectProblem(await refresh(next.body.refreshToken), 'refresh_token_invalid')
  })

  test('works for ninety days after the log-in at most', async () => {
    let { session } = await api.signUp('quarterly')
    for (const _ of [1, 2, 3]) {
      api.clock.advance(29 * DAY_MS)
      const answer = await refresh(session.refreshToken)
      expectBody(answer, 200, Session)
      session = answer.body
    }
    const user = await api.request('GET', '/v1/me', { as: session.accessToken })
    expectBody(user, 200, User)
    api.clock.advance(3 * DAY_MS)
    expectProblem(await refresh(session.refreshToken), 'refresh_token_invalid')
  })

  test('refuses what it never gave', async () => {
    expectProblem(await refresh('nonsense'), 'refresh_token_invalid')
    expectProblem(await refresh(''), 'refresh_token_invalid')
    expectProblem(await api.request('POST', '/v1/auth/refresh', { body: {} }), 'invalid_request', [
      'refreshToken',
    ])
  })
})

describe('signing out', () => {
  test('ends one session and leaves the others', async () => {
    const { session } = await api.signUp('two_devices')
    const other = await api.request('POST', '/v1/auth/login', {
      body: { username: 'two_devices', password: PASSWORD },
    })
    const { refreshToken } = session
    expectNoContent(await api.request('POST', '/v1/auth/logout', { body: { refreshToken } }))
    expectProblem(await refresh(refreshToken), 'refresh_token_invalid')
    expectBody(await refresh(other.body.refreshToken), 200, Session)
  })

  test('ignores unknown tokens', async () => {
    const body = { refreshToken: 'unknown' }
    expectNoContent(await api.request('POST', '/v1/auth/logout', { body }))
  })
})

describe('one’s sessions', () => {
  function logIn(username: string) {
    return api.request('POST', '/v1/auth/login', { body: { username, password: PASSWORD } })
  }

  function list(as: string, query = '') {
    return api.request('GET', `/v1/me/sessions${query}`, { as })
  }

  test('are listed, latest first, with the current one marked', async () => {
    const { session } = await api.signUp('lister')
    const start = api.clock.now()
    api.clock.advance(60_000)
    const other = await logIn('lister')
    api.clock.advance(60_000)
    const refreshed = await refresh(session.refreshToken)
    const answer = await list(refreshed.body.accessToken)
    expectBody(answer, 200, OpenSessionPage)
    const time = (ms: number) => new Date(start + ms).toISOString()
    const id = expect.any(String)
    expect(answer.body).toEqual({
      items: [
        {
          id,
          createdAt: time(60_000),
          lastUsedAt: time(60_000),
          expiresAt: time(60_000 + 90 * DAY_MS),
          current: false,
        },
        {
          id,
          createdAt: time(0),
          lastUsedAt: time(120_000),
          expiresAt: time(90 * DAY_MS),
          current: true,
        },
      ],
      nextCursor: null,
    })
    const first = await list(other.body.accessToken, '?limit=1')
    const second = await list(other.body.accessToken, `?limit=1&cursor=${first.body.nextCursor}`)
    expect([first, second].map(({ body }) => body.items[0].current)).toEqual([true, false])
    expect(second.body.nextCursor).toBeNull()
  })

  test('can be ended one by one, with their access tokens', async () => {
    const { session } = await api.signUp('ender')
    const other = await logIn('ender')
    const page = await list(session.accessToken)
    const { id } = page.body.items.find(({ current }: { current: boolean }) => !current)
    const path = `/v1/me/sessions/${id}`
    expectNoContent(await api.request('DELETE', path, { as: session.accessToken }))
    expectProblem(await list(other.body.accessToken), 'unauthenticated')
    expectProblem(await refresh(other.body.refreshToken), 'refresh_token_invalid')
    expect((await list(session.accessToken)).body.items).toHaveLength(1)
    expectProblem(await api.request('DELETE', path, { as: session.accessToken }), 'not_found')
  })

  test('of others are not there', async () => {
    const [mine, others] = [await api.signUp('mine'), await api.signUp('not_mine')]
    const page = await list(others.session.accessToken)
    for (const id of [page.body.items[0].id, '1', 'x', '0']) {
      const answer = await api.request('DELETE', `/v1/me/sessions/${id}`, { as: mine })
      expectProblem(answer, 'not_found')
    }
    expectBody(await list(others.session.accessToken), 200, OpenSessionPage)
  })
})
