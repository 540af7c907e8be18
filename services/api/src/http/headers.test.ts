import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from '@sns/shared/config/http-headers'
import { loadSettings } from '@sns/shared/config/load-settings'
import { Glob } from 'bun'
import { openTestApi } from '../testing/test-api'

const source = join(import.meta.dir, '..')
const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase())

/** Browsers and proxies send these, or anybody may: no page sets them. */
const OF_THE_CONNECTION = ['accept', 'accept-encoding', 'content-length', 'host', 'x-forwarded-for']
/** Browsers show these to any page, or act by them alone. */
const OF_BROWSERS = [
  'access-control-max-age',
  'cache-control',
  'connection',
  'content-encoding',
  'content-security-policy',
  'content-type',
  'referrer-policy',
  'vary',
  'x-accel-buffering',
  'x-content-type-options',
]

async function code(): Promise<string> {
  const texts: string[] = []
  for await (const file of new Glob('**/*.ts').scan({ cwd: source })) {
    if (!/\.test\.ts$|^testing\//.test(file)) texts.push(await Bun.file(join(source, file)).text())
  }
  return texts.join('\n')
}

test('what the api reads of a request, a browser elsewhere may send', async () => {
  const text = await code()
  const read = [...text.matchAll(/headers\.(?:get|has)\(\s*'([\w-]+)'/g)].map(([, name]) => name!)
  expect(read).toContain('if-none-match')
  const known = [...lower(REQUEST_HEADERS), ...OF_THE_CONNECTION]
  expect(read.filter((name) => !known.includes(name))).toEqual([])
})

test('what the api sends, a browser elsewhere may read', async () => {
  const text = await code()
  const sent = [
    /headers\['([\w-]+)'\]\s*=/g,
    /headers\.(\w+)\s*=[^=]/g,
    /append\(headers, '([\w-]+)'/g,
    /^\s+'?([a-z]+(?:-[a-z]+)+|vary|etag)'?: (?!\{|Type\.)['`\w.]/gm,
  ].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name!))
  for (const name of ['link', 'etag', 'ratelimit', 'idempotency-replayed', 'retry-after'])
    expect(sent).toContain(name)
  const known = [...lower(RESPONSE_HEADERS), ...OF_BROWSERS]
  expect(sent.filter((name) => !known.includes(name))).toEqual([])
})

test('every header of the documented contract may be sent and read from another origin', async () => {
  const { cors } = loadSettings({ CORS_ORIGINS: 'https://app.example' }, { role: 'api' })
  await using api = await openTestApi({ settings: { cors } })
  const { body } = await api.request('GET', '/swagger/json')
  const [taken, given] = [new Set<string>(['Authorization', 'Content-Type']), new Set<string>()]
  for (const operation of Object.values<object>(body.paths).flatMap(
    (methods) => Object.values(methods) as Documented[],
  )) {
    for (const parameter of operation.parameters ?? [])
      if (parameter.in === 'header') taken.add(parameter.name)
    for (const { headers } of Object.values(operation.responses))
      for (const name of Object.keys(headers ?? {})) given.add(name)
  }
  expect(lower([...taken])).toContain('last-event-id')
  const origin = 'https://app.example'
  for (const name of [...taken, 'If-None-Match']) {
    const { headers } = await api.request('OPTIONS', '/v1/events', {
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': name.toLowerCase(),
      },
    })
    const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
    expect(allowed).toContain(name.toLowerCase())
  }
  const { headers } = await api.request('GET', '/v1/feed', { headers: { origin } })
  const exposed = headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
  for (const name of [...given, ...RESPONSE_HEADERS]) expect(exposed).toContain(name.toLowerCase())
})

interface Documented {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly responses: Readonly<Record<string, { readonly headers?: object }>>
}
