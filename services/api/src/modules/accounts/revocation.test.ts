import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from '../../testing/test-api'
import { User } from '../users/schema'
import { Session } from './schema'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const NEW_PASSWORD = 'a much better one'
const verify = Bun.password.verify
afterEach(() => {
  Bun.password.verify = verify
})

/** Holds the next check of a password after its result is known, until it is released. */
function holdNextCheck() {
  const checked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  Bun.password.verify = (async (password: string, hash: string) => {
    Bun.password.verify = verify
    const matches = await verify(password, hash)
    checked.resolve()
    await release.promise
    return matches
  }) as typeof verify
  return { checked: checked.promise, release: () => release.resolve() }
}

function logIn(username: string, password = PASSWORD) {
  return api.request('POST', '/v1/auth/login', { body: { username, password } })
}

function changePassword(as: TestUser) {
  const body = { password: NEW_PASSWORD, currentPassword: PASSWORD }
  return api.request('PATCH', '/v1/me', { as, body })
}

function me(token: string) {
  return api.request('GET', '/v1/me', { as: token })
}

describe('a password that was changed between its check and what was asked for', () => {
  test('opens no session', async () => {
    const user = await api.signUp('raced_login')
    const held = holdNextCheck()
    const login = logIn(user.username)
    await held.checked
    expectBody(await changePassword(user), 200, User)
    held.release()
    expectProblem(await login, 'bad_credentials')
    expectBody(await logIn(user.username, NEW_PASSWORD), 200, Session)
  })

  test('deletes no account', async () => {
    const user = await api.signUp('raced_deletion')
    const again = await logIn(user.username)
    const held = holdNextCheck()
    const stolen = api.request('DELETE', '/v1/me', {
      as: again.body.accessToken,
      body: { password: PASSWORD },
    })
    await held.checked
    expectBody(await changePassword(user), 200, User)
    held.release()
    expectProblem(await stolen, 'bad_credentials')
    expectBody(await logIn(user.username, NEW_PASSWORD), 200, Session)
  })

  test('changes no password', async () => {
    const user = await api.signUp('raced_change')
    const again = await logIn(user.username)
    const held = holdNextCheck()
    const stolen = api.request('PATCH', '/v1/me', {
      as: again.body.accessToken,
      body: { password: 'the words of a thief', currentPassword: PASSWORD },
    })
    await held.checked
    expectBody(await changePassword(user), 200, User)
    held.release()
    expectProblem(await stolen, 'bad_credentials')
    expectBody(await logIn(user.username, NEW_PASSWORD), 200, Session)
  })
})

describe('access tokens', () => {
  test('end when the password changes, those of every session', async () => {
    const user = await api.signUp('changed')
    const other = await logIn(user.username)
    expectBody(await changePassword(user), 200, User)
    for (const token of [user.session.accessToken, other.body.accessToken]) {
      expectProblem(await me(token), 'unauthenticated')
      const post = await api.request('POST', '/v1/posts', { as: token, body: { text: 'hello' } })
      expectProblem(post, 'unauthenticated')
    }
  })

  test('end with their session at sign-out, and no other session’s do', async () => {
    const user = await api.signUp('signed_out')
    const other = await logIn(user.username)
    const { accessToken, refreshToken } = user.session
    const body = { refreshToken }
    const next = await api.request('POST', '/v1/auth/refresh', { body })
    expectBody(await me(accessToken), 200, User)
    expectNoContent(
      await api.request('POST', '/v1/auth/logout', {
        body: { refreshToken: next.body.refreshToken },
      }),
    )
    expectProblem(await me(accessToken), 'unauthenticated')
    expectProblem(await me(next.body.accessToken), 'unauthenticated')
    expectBody(await me(other.body.accessToken), 200, User)
  })

  test('end when a refresh token comes back that was stolen', async () => {
    const user = await api.signUp('robbed')
    const body = { refreshToken: user.session.refreshToken }
    const thief = await api.request('POST', '/v1/auth/refresh', { body })
    api.clock.advance(11_000)
    expectProblem(await api.request('POST', '/v1/auth/refresh', { body }), 'refresh_token_reused')
    expectProblem(await me(thief.body.accessToken), 'unauthenticated')
  })
})

describe('deleting the account', () => {
  test('takes the password', async () => {
    const user = await api.signUp('still_here')
    const remove = (options: object) => api.request('DELETE', '/v1/me', { as: user, ...options })
    expectProblem(await remove({}), 'invalid_request', ['password'])
    expectProblem(await remove({ body: {} }), 'invalid_request', ['password'])
    expectProblem(await remove({ body: { password: 'not the one' } }), 'bad_credentials')
    expectBody(await me(user.session.accessToken), 200, User)
    expectNoContent(await remove({ body: { password: PASSWORD } }))
    expectProblem(await me(user.session.accessToken), 'unauthenticated')
  })
})

test('no token stands in any table as it was given out', async () => {
  const user = await api.signUp('in_the_clear')
  const body = { refreshToken: user.session.refreshToken }
  const next = await api.request('POST', '/v1/auth/refresh', { body })
  const tokens = [user.session, next.body].flatMap((each) => [each.refreshToken, each.accessToken])
  const rows = await api.db.selectFrom('refresh_tokens').selectAll().execute()
  expect(rows.length).toBeGreaterThan(1)
  const written = JSON.stringify([rows, await api.db.selectFrom('accounts').selectAll().execute()])
  for (const token of tokens) expect(written).not.toContain(token)
  const sha256 = new Bun.CryptoHasher('sha256').update(body.refreshToken).digest('hex')
  expect(rows.map(({ hash }) => hash)).toContain(sha256)
})
