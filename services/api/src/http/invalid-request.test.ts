import { afterAll, beforeAll, test } from 'bun:test'
import { POST_TEXT_MAX } from '@sns/shared/domain/post'
import { expectProblem } from '../testing/expectations'
import { openTestApi, type TestApi, type TestUser } from '../testing/test-api'

let api: TestApi
let ada: TestUser
beforeAll(async () => {
  api = await openTestApi()
  ada = await api.signUp('ada')
})
afterAll(() => api[Symbol.asyncDispose]())

interface Operation {
  readonly method: string
  readonly path: string
  /** Of each field, by the name that an error has for it: a value that is right, and values that are wrong. */
  readonly fields: Readonly<Record<string, readonly [right: unknown, ...wrong: unknown[]]>>
  /** Two fields of which neither may be given alone. */
  readonly together?: readonly string[]
}

const OPERATIONS: readonly Operation[] = [
  {
    method: 'POST',
    path: '/v1/auth/signup',
    fields: {
      username: ['fits', undefined, 7, 'a b', 'admin'],
      password: ['correct horse battery', undefined, null, 'short', 'password1'],
      displayName: [undefined, {}, '\u200b'],
      role: [undefined, 'admin'],
    },
  },
  {
    method: 'PATCH',
    path: '/v1/me',
    fields: {
      displayName: ['Ada', 1, ' '],
      password: ['a better battery', undefined, 7, 'short'],
      currentPassword: ['correct horse battery', undefined, true],
      role: [undefined, 1],
    },
    together: ['password', 'currentPassword'],
  },
  {
    method: 'POST',
    path: '/v1/posts',
    fields: {
      'header.idempotency-key': [undefined, 'a b'],
      text: ['text', undefined, 5, ' ', 'x'.repeat(POST_TEXT_MAX + 1)],
      title: [undefined, 'x'],
    },
  },
  {
    method: 'GET',
    path: '/v1/search/posts',
    fields: {
      'query.q': ['word', undefined, '!?'],
      'query.since': ['2026-01-01', 'soon'],
      'query.until': ['2026-01-02', '2026-02-30'],
      'query.limit': [undefined, '0', 'x'],
      'query.page': [undefined, '1'],
    },
  },
  {
    method: 'GET',
    path: '/v1/events',
    fields: {
      'header.last-event-id': [undefined, 'x'],
      'query.after': [undefined, 'x'],
      'query.page': [undefined, '1'],
    },
  },
]

/** Every way to fill the fields. */
function combinations(fields: Operation['fields']): Record<string, unknown>[] {
  return Object.entries(fields).reduce<Record<string, unknown>[]>(
    (filled, [name, values]) =>
      filled.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  )
}

test.each(OPERATIONS)(
  '$method $path names all that is wrong in one answer',
  async ({ method, path, fields, together = [] }) => {
    for (const filled of combinations(fields)) {
      const isEmptyPair =
        together.length > 0 && together.every((name) => filled[name] === undefined)
      const wrong = Object.keys(filled).filter(
        (name) => filled[name] !== fields[name]?.[0] && !(isEmptyPair && together.includes(name)),
      )
      if (wrong.length === 0) continue
      const [headers, query, body] = [
        {} as Record<string, string>,
        new URLSearchParams(),
        {} as Record<string, unknown>,
      ]
      for (const [name, value] of Object.entries(filled)) {
        if (value === undefined) continue
        const [part, rest = ''] = name.split('.')
        if (part === 'header') headers[rest] = String(value)
        else if (part === 'query') query.set(rest, String(value))
        else body[name] = value
      }
      const answer = await api.request(method, `${path}?${query}`, {
        as: ada,
        headers,
        ...(method === 'GET' ? {} : { body }),
      })
      expectProblem(answer, 'invalid_request', wrong)
    }
  },
)
