import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { expectBody, expectNoContent, expectProblem } from '../../testing/expectations'
import { openTestApi, PASSWORD, type TestApi } from '../../testing/test-api'
import { User } from '../users/schema'
import { Session } from './schema'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

function signup(body: unknown) {
  return api.request('POST', '/v1/auth/signup', { body })
}

function refresh(refreshToken: string) {
  return api.request('POST', '/v1/auth/refresh', { body: { refreshToken } })
}

describe('signing up', () => {
  test('makes an account and a session', async () => {
    const answer = await signup({ username: 'Minji', password: PASSWORD, displayName: ' 민지 ' })
    expectBody(answer, 201, Session)
    expect(answer.body.user).toMatchObject({ username: 'Minji', displayName: '민지' })
    expect(answer.body.expiresIn).toBe(900)
    const me = await api.request('GET', '/v1/me', { as: answer.body.accessToken })
    expectBody(me, 200, User)
    expect(me.body).toEqual(answer.body.user)
  })

  test('takes the username as display name', async () => {
    const answer = await signup({ username: 'plain_one', password: PASSWORD })
    expect(answer.body.user.displayName).toBe('plain_one')
  })

  test('refuses a username that differs only in case', async () => {
    await signup({ username: 'taken', password: PASSWORD })
    expectProblem(await signup({ username: 'TAKEN', password: PASSWORD }), 'username_taken')
  })

  test('names every wrong, missing and unknown field', async () => {
    expectProblem(await signup({}), 'invalid_request', ['username', 'password'])
    expectProblem(
      await signup({ username: null, password: 7, displayName: null, role: 'admin' }),
      'invalid_request',
      ['username', 'password', 'displayName', 'role'],
    )
    expectProblem(
      await signup({ username: 'a b', password: 'short', displayName: '\u200b' }),
      'invalid_request',
      ['username', 'password', 'displayName'],
    )
    for (const body of [[], null, 'text', 3]) expectProblem(await signup(body), 'invalid_request')
  })

  test.each([
    ['password', { password: '1234567' }],
    ['password', { password: 'x'.repeat(129) }],
    ['password', { password: 'eight\ud800chars' }],
    ['password', { password: ' '.repeat(12) }],
    ['password', { password: '\u2003\u00a0\u200b\u3164'.repeat(3) }],
    ['password', { password: 'password' }],
    ['password', { password: 'PassWord1' }],
    ['password', { password: 'dalmatio' }],
    ['displayName', { displayName: '\u3164\u3164' }],
    ['displayName', { displayName: 'admin\u202enimda' }],
    ['displayName', { displayName: 'ad\u200bmin' }],
    ['displayName', { displayName: 'ad\u200dmin' }],
    ['username', { username: 'a' }],
    ['username', { username: 'a b' }],
    ['username', { username: 'Admin' }],
    ['username', { username: '_root_' }],
    ['username', { username: 'api' }],
    ['displayName', { displayName: '   ' }],
    ['displayName', { displayName: 'x'.repeat(51) }],
    ['displayName', { displayName: 'two\nlines' }],
    ['displayName', { displayName: 'nul\u0000' }],
    ['displayName', { displayName: '\ud83d' }],
  ])('refuses a %s that is %p', async (field, change) => {
    const answer = await signup({ username: 'refused', password: PASSWORD, ...change })
    expectProblem(answer, 'invalid_request', [field])
    const { username } = { username: 'refused', ...change }
    expect(await api.stores.users.findByUsername(username)).toBeNull()
  })

  test('counts code points: fifty emoji are fifty characters', async () => {
    const displayName = '😀'.repeat(50)
    const answer = await signup({ username: 'emoji', password: PASSWORD, displayName })
    expectBody(answer, 201, Session)
    expect(answer.body.user.displayName).toBe(displayName)
  })

  test('at once under one name: one wins, the others hear that it is taken', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => signup({ username: 'Racer', password: PASSWORD })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
  })

  test('at once under many names: all succeed with ids of their own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => signup({ username: `crowd${at}`, password: PASSWORD })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(201))
    expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(40)
  })
})

describe('signing in', () => {
  beforeAll(async () => {
    await api.signUp('Haru')
  })

  function login(username: string, password: string) {
    return api.request('POST', '/v1/auth/login', { body: { username, password } })
  }

  test('works in any case of the username', async () => {
    expectBody(await login('hARU', PASSWORD), 200, Session)
  })

  test('says the same to a wrong password and to an unknown user', async () => {
    const wrong = await login('haru', 'not the password')
    const unknown = await login('nobody_here', 'not the password')
    expectProblem(wrong, 'bad_credentials')
    expectProblem(unknown, 'bad_credentials')
    expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' })
  })

  test.each(['', '\ud800', 'a long one '.repeat(20), "' or 1=1 --"])('refuses %p', async (text) => {
    expectProblem(await login(text, PASSWORD), 'bad_credentials')
    expectProblem(await login('haru', text), 'bad_credentials')
  })
})

describe('one’s own account', () => {
  test('changes its display name, seen at once', async () => {
    const user = await api.signUp('renamed')
    const answer = await api.request('PATCH', '/v1/me', {
      as: user,
      body: { displayName: ' New  Name ' },
    })
    expectBody(answer, 200, User)
    expect(answer.body.displayName).toBe('New  Name')
    const me = await api.request('GET', '/v1/me', { as: user })
    expect(me.body.displayName).toBe('New  Name')
  })

  test('changes its password with the current one, which ends all sessions', async () => {
    const user = await api.signUp('careful')
    const change = (body: unknown) => api.request('PATCH', '/v1/me', { as: user, body })
    const password = 'a much better one'
    expectProblem(await change({ password }), 'invalid_request', ['currentPassword'])
    expectProblem(await change({ password, currentPassword: 'wrong one' }), 'bad_credentials')
    expectProblem(
      await change({ password: 'short', currentPassword: PASSWORD }),
      'invalid_request',
      ['password'],
    )
    expectBody(await refresh(user.session.refreshToken).then(remember), 200, Session)

    expectBody(await change({ password, currentPassword: PASSWORD }), 200, User)
    expectProblem(await refresh(newest), 'refresh_token_invalid')
    const login = (with_: string) =>
      api.request('POST', '/v1/auth/login', { body: { username: 'careful', password: with_ } })
    expectProblem(await login(PASSWORD), 'bad_credentials')
    expectBody(await login(password), 200, Session)
  })

  let newest = ''
  function remember(answer: Awaited<ReturnType<typeof refresh>>) {
    newest = answer.body.refreshToken
    return answer
  }

  test('is not changed by nothing, or by what is wrong', async () => {
    const user = await api.signUp('unchanged')
    const change = (body: unknown) => api.request('PATCH', '/v1/me', { as: user, body })
    expectProblem(await change({}), 'invalid_request', ['body'])
    expectProblem(await change({ username: 'other' }), 'invalid_request', ['username'])
    expectProblem(await change({ currentPassword: PASSWORD }), 'invalid_request', ['password'])
    expectProblem(await change({ displayName: '' }), 'invalid_request', ['displayName'])
    expect((await api.request('GET', '/v1/me', { as: user })).body).toEqual(user.session.user)
  })

  test('takes everything it wrote along when it is deleted', async () => {
    const [gone, reader] = [await api.signUp('gone'), await api.signUp('reader')]
    await api.request('PUT', '/v1/users/gone/follow', { as: reader })
    const post = await api.request('POST', '/v1/posts', {
      as: gone,
      body: { text: 'farewell words' },
    })
    await api.settle()
    const body = { password: PASSWORD }
    const find = (path: string) => api.request('GET', path, { as: reader })
    expect((await find('/v1/feed')).body.items).toHaveLength(1)
    expect((await find('/v1/search/posts?q=farewell')).body.items).toHaveLength(1)

    expectNoContent(await api.request('DELETE', '/v1/me', { as: gone, body }))
    expect((await find('/v1/feed')).body).toEqual({ items: [], nextCursor: null })
    expect((await find('/v1/search/posts?q=farewell')).body).toEqual({
      items: [],
      nextCursor: null,
    })
    expect((await find('/v1/search/users?q=gone')).body).toEqual({ items: [], nextCursor: null })
    expectProblem(await find(`/v1/posts/${post.body.id}`), 'not_found')
    expectProblem(await find('/v1/users/gone'), 'not_found')
  })

  test('leaves its username free to nobody for thirty days', async () => {
    const user = await api.signUp('retired')
    const again = () => signup({ username: 'Retired', password: PASSWORD })
    expectNoContent(
      await api.request('DELETE', '/v1/me', { as: user, body: { password: PASSWORD } }),
    )
    expectProblem(await again(), 'username_taken')
    api.clock.advance(30 * 24 * 3600 * 1000)
    expectBody(await again(), 201, Session)
  })
})
