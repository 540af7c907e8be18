import { expect, test } from 'bun:test'
import type { ApiDeps } from '../app'
import { openTestApi } from '../testing/test-api'

const HEADERS = ['Authorization', 'Content-Type']

function withCors(cors: Partial<ApiDeps['settings']['cors']>) {
  return openTestApi({
    settings: {
      cors: { origins: [], credentials: false, methods: ['GET', 'PUT'], headers: HEADERS, ...cors },
    },
  })
}

const from = (origin: string) => ({
  origin,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'authorization',
})

test('without origins nothing is said about them', async () => {
  await using api = await withCors({})
  const answer = await api.request('GET', '/livez', { headers: from('https://app.example') })
  expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  expect((await api.request('OPTIONS', '/v1/feed')).status).toBe(405)
})

test('a known origin may call, also where the answer is a problem; others may not', async () => {
  await using api = await withCors({ origins: ['https://app.example'], credentials: true })
  for (const path of ['/livez', '/v1/feed', '/nope']) {
    const { headers } = await api.request('GET', path, { headers: from('https://app.example') })
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('access-control-expose-headers')).toContain('X-Request-Id')
    expect(headers.get('vary')).toContain('Origin')
  }
  const other = await api.request('GET', '/livez', { headers: from('https://evil.example') })
  expect(other.headers.get('access-control-allow-origin')).toBeNull()
})

test('preflights are answered, counted and carry a request id', async () => {
  await using api = await withCors({ origins: ['https://app.example'] })
  const answer = await api.request('OPTIONS', '/v1/users/x/follow', {
    headers: from('https://app.example'),
  })
  expect(answer.status).toBe(204)
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect(answer.headers.get('access-control-allow-methods')).toBe('GET, PUT')
  expect(answer.headers.get('access-control-allow-headers')).toBe(HEADERS.join(', '))
  expect(answer.headers.get('access-control-max-age')).toBe('600')
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('`*` lets anyone call, without credentials', async () => {
  await using api = await withCors({ origins: '*' })
  const answer = await api.request('GET', '/livez', { headers: from('https://any.example') })
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
})
