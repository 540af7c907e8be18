import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Session } from '@sns/shared/contract/http/session'
import { User } from '@sns/shared/contract/http/user'
import { SignJWT } from 'jose'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi } from '../../testing/test-api'

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
    expectNoContent(await api.request('DELETE', '/v1/me', { as: user }))
    expectProblem(await api.request('GET', '/v1/me', { as: user }), 'unauthenticated')
    expectProblem(
      await api.request('POST', '/v1/posts', { as: user, body: { text: 'still here?' } }),
      'unauthenticated',
    )
    expectProblem(await refresh(user.session.refreshToken), 'refresh_token_invalid')
  })

  test('must be signed by us, for us, by the one algorithm', async () => {
    const { id } = await api.signUp('forger')
    const now = Math.floor(api.clock.now() / 1000)
    const token = (change: { key?: string; alg?: string; iss?: string; aud?: string }) =>
      new SignJWT()
        .setProtectedHeader({ alg: change.alg ?? 'HS256' })
        .setSubject(String(id))
        .setIssuer(change.iss ?? 'sns')
        .setAudience(change.aud ?? 'sns-api')
        .setExpirationTime(now + 60)
        .sign(new TextEncoder().encode(change.key ?? api.deps.settings.secretKey))
    expectBody(await api.request('GET', '/v1/me', { as: await token({}) }), 200, User)
    for (const change of [
      { key: 'another key that is long enough' },
      { alg: 'HS512' },
      { iss: 'someone' },
      { aud: 'something' },
    ]) {
      expectProblem(
        await api.request('GET', '/v1/me', { as: await token(change) }),
        'unauthenticated',
      )
    }
    const none = `${btoa('{"alg":"none"}')}.${btoa(`{"sub":"${id}","iss":"sns","aud":"sns-api"}`)}.`
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

  test('with a used token ends the whole session', async () => {
    const { session } = await api.signUp('leaked')
    const next = await refresh(session.refreshToken)
    expectProblem(await refresh(session.refreshToken), 'refresh_token_reused')
    expectProblem(await refresh(next.body.refreshToken), 'refresh_token_invalid')
  })

  test('twice at once: one wins', async () => {
    const { session } = await api.signUp('twice')
    const answers = await Promise.all([
      refresh(session.refreshToken),
      refresh(session.refreshToken),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
  })

  test('works for thirty days', async () => {
    const { session } = await api.signUp('monthly')
    api.clock.advance(30 * DAY_MS - 1_000)
    const next = await refresh(session.refreshToken)
    expectBody(next, 200, Session)
    api.clock.advance(30 * DAY_MS)
    expectProblem(await refresh(next.body.refreshToken), 'refresh_token_invalid')
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
