import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { eventually } from '@sns/shared/testing/eventually'
import { expectProblem } from './testing/expectations'
import { openTestApi, type TestApi, type TestUser } from './testing/test-api'

let failure: unknown = null
let api: TestApi
let user: TestUser
const lines: Record<string, unknown>[] = []

beforeAll(async () => {
  api = await openTestApi({
    wrap: (deps) => {
      const record = (line: unknown) => void lines.push(line as Record<string, unknown>)
      for (const level of ['debug', 'info', 'warn', 'error'] as const) {
        deps.logger[level] = ((line: object) => record({ level, ...line })) as never
      }
      return {
        ...deps,
        posts: {
          ...deps.posts,
          async find(...args) {
            if (failure !== null) throw failure
            return deps.posts.find(...args)
          },
        },
      }
    },
  })
  user = await api.signUp('someone')
})
afterAll(() => api[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }

function send(raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) {
  return api.request('POST', '/v1/posts', { as: user, raw, headers })
}

async function failWith(error: unknown) {
  failure = error
  try {
    return await api.request('GET', '/v1/posts/4096', { as: user })
  } finally {
    failure = null
  }
}

describe('problems', () => {
  test('to a Host that is none', async () => {
    for (const host of ['a b', '%', '<x>']) {
      for (const [line, status] of [
        ['GET /v1/feed', 401],
        ['DELETE /v1/feed', 405],
        ['GET /nope', 404],
        ['GET /v1/feed#here', 404],
      ]) {
        const answer = await exchange(`${line} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
        expect(answer).toStartWith(`HTTP/1.1 ${status} `)
        expect(answer).toContain('application/problem+json')
      }
    }
  })

  test('a path that is no route, and a method that a route does not take', async () => {
    for (const path of ['/nope', '/v1', '/v1/', '/v1/posts/1/nope', '/V1/FEED']) {
      expectProblem(await api.request('GET', path, { as: user }), 'route_not_found')
    }
    for (const [method, path, allow] of [
      ['DELETE', '/v1/feed', 'GET, HEAD'],
      ['POST', '/v1/users/x/follow', 'DELETE, PUT'],
      ['PUT', '/v1/posts/1', 'DELETE, GET, HEAD, PATCH'],
      ['GET', '/v1/auth/login', 'POST'],
      ['OPTIONS', '/v1/me', 'DELETE, GET, HEAD, PATCH'],
    ] as const) {
      const answer = await api.request(method, path)
      expectProblem(answer, 'method_not_allowed')
      expect(answer.headers.get('allow')).toBe(allow)
    }
  })

  test.each([
    '',
    '{',
    '{"text":}',
    "{'text':1}",
    'text',
    '[1,]',
    '{"text":"a\nb"}',
    '['.repeat(60_000),
  ])('a body of %p is not JSON', async (raw) => {
    expectProblem(await send(raw), 'malformed_json')
  })

  test('a body that is not UTF-8', async () => {
    const raw = new Uint8Array([...Buffer.from('{"text":"'), 0xff, 0xfe, ...Buffer.from('"}')])
    expectProblem(await send(raw), 'malformed_json')
  })

  test('a body nested so deep that reading it could exhaust the stack', async () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    expectProblem(await send(deep), 'invalid_request', ['body'])
    expectProblem(await send(`{"text":${deep}}`), 'invalid_request', ['body'])
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/xml',
    'nonsense',
  ])('a body of type %s', async (type) => {
    expectProblem(await send('{"text":"x"}', { 'content-type': type }), 'unsupported_media_type')
  })

  test('JSON by any spelling of its type is taken', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json ;x=y',
    ]) {
      expect((await send('{"text":"x"}', { 'content-type': type })).status).toBe(201)
    }
  })

  test('no body at all: its fields are missing', async () => {
    const answer = await api.request('POST', '/v1/posts', { as: user })
    expectProblem(answer, 'invalid_request', ['text'])
  })

  test('a body of more than 64 KiB, announced or not, is too large', async () => {
    const fits = JSON.stringify({ text: 'x', pad: ' '.repeat(64 * 1024) }).slice(0, 64 * 1024 - 2)
    expectProblem(await send(`${fits}"}`), 'invalid_request', ['pad'])
    expectProblem(await send(`${fits}x"}`), 'body_too_large')
    const chunks = new ReadableStream({
      start(controller) {
        for (let at = 0; at < 40; at += 1) controller.enqueue(new Uint8Array(4_096).fill(32))
        controller.close()
      },
    })
    expectProblem(
      await api.request('POST', '/v1/posts', { as: user, raw: chunks, headers: json }),
      'body_too_large',
    )
    const huge = await exchange(
      `POST /v1/posts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900000000\r\n\r\n`,
    )
    expect(huge).toStartWith('HTTP/1.1 413 ')
    expect(huge).toContain('application/problem+json')
  })

  test('an error of ours tells nothing of the inside', async () => {
    for (const error of [
      new Error('secret table users_v2 is gone'),
      new TypeError("undefined is not an object (evaluating 'secret')"),
      'secret string',
      new SnsError('internal', {
        detail: 'secret detail',
        fields: [{ field: 'secret', message: 'x' }],
      }),
    ]) {
      const answer = await failWith(error)
      expectProblem(answer, 'internal')
      expect(JSON.stringify(answer.body)).not.toContain('secret')
      expect(JSON.stringify(answer.body)).not.toContain('undefined')
      await eventually(() =>
        lines.some((line) => line.level === 'error' && line.requestId === answer.body.requestId),
      )
    }
  })

  test('a store that is unavailable: retry later', async () => {
    const answer = await failWith(storeUnavailable('mysql', new Error('ECONNREFUSED 10.0.0.1')))
    expectProblem(answer, 'store_unavailable')
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(JSON.stringify(answer.body)).not.toMatch(/mysql|ECONN/)
    const later = await failWith(new SnsError('too_many_requests', { retryAfterSeconds: 7 }))
    expectProblem(later, 'too_many_requests')
    expect(later.headers.get('retry-after')).toBe('7')
  })
})

describe('every answer', () => {
  test('carries a request id: the caller’s where it is well-formed, else one of ours', async () => {
    const ask = (id: string) =>
      api.request('GET', '/v1/me', { as: user, headers: { 'x-request-id': id } })
    expect((await ask('trace-1.a:B_2')).headers.get('x-request-id')).toBe('trace-1.a:B_2')
    for (const id of ['has space', '<x>', 'x'.repeat(65), '"']) {
      expect((await ask(id)).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
    for (const path of ['/livez', '/nope', '/swagger', '/v1/feed']) {
      const { headers } = await api.request('GET', path)
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('is not for caches', async () => {
    const answer = await api.request('GET', '/v1/me', { as: user })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('to HEAD has no body', async () => {
    const answer = await api.request('HEAD', '/v1/feed', { as: user })
    expect(answer.status).toBe(200)
    expect(answer.body).toBe('')
  })
})

describe('what operators see', () => {
  test('requests by method, route pattern and status class; none left in flight', async () => {
    const count = async (labels: Record<string, string>) => {
      const { values } = await api.deps.metrics.httpRequestSeconds.get()
      const found = values.find(
        (value) =>
          value.metricName === 'sns_http_request_duration_seconds_count' &&
          Object.entries(labels).every(([name, label]) => value.labels[name as 'method'] === label),
      )
      return found?.value ?? 0
    }
    const feed = { method: 'GET', route: '/v1/feed', status: '2xx' }
    const unmatched = { method: 'GET', route: 'unmatched', status: '4xx' }
    const failed = { method: 'GET', route: '/v1/posts/:id', status: '5xx' }
    const before = await Promise.all([feed, unmatched, failed].map(count))
    await api.request('GET', '/v1/feed', { as: user })
    await api.request('GET', `/nope/${crypto.randomUUID()}`)
    await failWith(new Error('x'))
    for (const [at, labels] of [feed, unmatched, failed].entries()) {
      await eventually(async () => (await count(labels)) === (before[at] ?? 0) + 1)
    }
    await eventually(async () => {
      const { values } = await api.deps.metrics.httpInFlight.get()
      return values[0]?.value === 0
    })
    const { values } = await api.deps.metrics.httpRequestSeconds.get()
    const routes = new Set(values.map(({ labels }) => labels.route))
    const known = new Set(api.app.routes.map(({ path }) => path))
    for (const route of routes) expect(route === 'unmatched' || known.has(String(route))).toBe(true)
  })

  test('a line for each request, without tokens or passwords', async () => {
    const requestId = 'line-of-this-test'
    const post = { as: user, body: { text: 'x' }, headers: { 'x-request-id': requestId } }
    await api.request('POST', '/v1/posts', post)
    const line = await eventually(() => lines.find((each) => each.requestId === requestId))
    expect(line).toMatchObject({
      level: 'info',
      method: 'POST',
      route: '/v1/posts',
      status: 201,
      userId: user.id,
      ms: expect.any(Number),
    })
    const written = JSON.stringify(lines)
    expect(written).not.toContain(user.session.accessToken)
    expect(written).not.toContain(user.session.refreshToken)
    expect(written).not.toContain('correct horse')
  })

  test('is for operators alone: clients learn that the api lives and wants requests, no more', async () => {
    const status = (name: string) => ({ body: { status: name } })
    expect(await api.request('GET', '/livez')).toMatchObject({ status: 200, ...status('alive') })
    const ready = await api.request('GET', '/readyz')
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready' }])
    expectProblem(await api.request('GET', '/metrics'), 'route_not_found')

    const unavailable = { ready: false, stores: { mysql: 'unavailable' } }
    await using without = await openTestApi({
      wrap: (deps) => ({ ...deps, readiness: async () => unavailable }),
    })
    const answer = await without.request('GET', '/readyz')
    expect([answer.status, answer.body]).toEqual([503, { status: 'not_ready' }])
  })
})

/** What comes back for bytes as they are. */
function exchange(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(request))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
      if (answer.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
