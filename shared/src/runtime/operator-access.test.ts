import { describe, expect, test } from 'bun:test'
import { createMetrics } from '../observability/metrics'
import { listen } from './http-listener'
import { createOperatorAccess } from './operator-access'
import { createReadiness } from './readiness'
import { createStatusApp } from './status-app'

const TOKEN = 'a token that is long enough for anybody'

function ask(
  { method = 'POST', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
  peer: string | null = '127.0.0.1',
  token: string | null = null,
) {
  const request = new Request('http://localhost/memory/verify', { method, headers })
  return createOperatorAccess({ token })(request, peer)?.status ?? 'let in'
}

describe('what costs something at the operators’ port', () => {
  test.each([['127.0.0.1'], ['127.8.9.1'], ['::1'], ['::ffff:127.0.0.1'], [null]])(
    'is for this machine: %s',
    (peer) => {
      expect(ask({}, peer)).toBe('let in')
    },
  )

  test.each([
    ['10.0.0.7'],
    ['192.168.1.127'],
    ['2001:db8::1'],
    ['::ffff:10.0.0.7'],
    ['::2'],
    ['not an address'],
    [''],
  ])('is not for others: %s', (peer) => {
    expect(ask({}, peer)).toBe(403)
  })

  test.each([
    ['origin', 'https://evil.example'],
    ['origin', 'null'],
    ['origin', 'http://127.0.0.1:8003'],
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-origin'],
    ['sec-fetch-mode', 'no-cors'],
    ['sec-fetch-dest', 'empty'],
    ['referer', 'https://evil.example/'],
    ['cookie', 'a=b'],
  ])('is never for a browser: %s: %s', (name, value) => {
    expect(ask({ headers: { [name]: value } })).toBe(403)
    const authorization = `Bearer ${TOKEN}`
    expect(ask({ headers: { [name]: value, authorization } }, '127.0.0.1', TOKEN)).toBe(403)
  })

  test.each([
    ['x-forwarded-for', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1'],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 proxy'],
  ])('is not for whoever comes through a proxy: %s', (name, value) => {
    expect(ask({ headers: { [name]: value } })).toBe(403)
  })

  test('is for whoever has the token, where there is one, and for nobody else', () => {
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
    expect(ask(bearer(TOKEN), '10.0.0.7', TOKEN)).toBe('let in')
    expect(ask(bearer(TOKEN), '127.0.0.1', TOKEN)).toBe('let in')
    for (const wrong of ['x', `${TOKEN} x`.replaceAll(' ', '_'), TOKEN.slice(1), 'null']) {
      expect(ask(bearer(wrong), '127.0.0.1', TOKEN)).toBe(401)
    }
    expect(ask({}, '127.0.0.1', TOKEN)).toBe(401)
    expect(ask({ headers: { authorization: TOKEN } }, '127.0.0.1', TOKEN)).toBe(401)
    // A token opens nothing where none is set.
    expect(ask(bearer('null'), '10.0.0.7', null)).toBe(403)
  })

  test.each(['PUT', 'PATCH', 'DELETE'])('whatever the method: %s', (method) => {
    expect(ask({ method, headers: { origin: 'https://evil.example' } })).toBe(403)
    expect(ask({ method }, '10.0.0.7')).toBe(403)
  })

  test.each(['GET', 'HEAD', 'OPTIONS'])('unlike what is read: %s', (method) => {
    expect(ask({ method, headers: { 'x-forwarded-for': '1.2.3.4' } }, '10.0.0.7')).toBe('let in')
  })
})

test('the port asks before it does anything', async () => {
  let asked = 0
  const app = createStatusApp({
    metrics: createMetrics(),
    readiness: createReadiness([]),
    operators: createOperatorAccess({ token: null }),
    async *verifyMemory() {
      asked += 1
      yield { checked: 1, of: 1, differing: [], isBelieved: true }
    },
  })
  await using listener = listen(app, { host: '127.0.0.1', port: 0, portSetting: 'METRICS_PORT' })
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(listener.url + path, { method: 'POST', headers })
  const refused = await post('/memory/verify', { origin: 'https://evil.example' })
  expect(refused.status).toBe(403)
  expect(refused.headers.get('access-control-allow-origin')).toBeNull()
  expect((await post('/memory/verify', { 'x-forwarded-for': '127.0.0.1' })).status).toBe(403)
  // Also what is not there: a route that comes later is covered before it is written.
  expect((await post('/anything', { origin: 'https://evil.example' })).status).toBe(403)
  expect(asked).toBe(0)
  expect((await fetch(`${listener.url}/livez`, { headers: { origin: 'x' } })).status).toBe(200)
  const answer = await post('/memory/verify')
  expect(answer.status).toBe(200)
  await answer.text()
  expect(asked).toBe(1)
})
