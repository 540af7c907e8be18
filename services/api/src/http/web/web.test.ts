import { afterAll, beforeAll, expect, test } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expectProblem } from '../../testing/expectations'
import { openTestApi, type TestApi } from '../../testing/test-api'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** The bytes as they travel. */
async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(api.url + path, { headers, decompress: false } as RequestInit)
  return { response, bytes: await response.bytes() }
}

async function assets(): Promise<string[]> {
  const { bytes } = await get('/', { 'accept-encoding': 'identity' })
  const html = new TextDecoder().decode(bytes)
  return [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
}

test('the page is the same wherever it is opened, and allows nothing from elsewhere', async () => {
  const { bytes } = await get('/')
  for (const path of ['/users/ada', '/posts/1', '/tags/%EB%A7%90', '/search?q=x', '/settings']) {
    const other = await get(path)
    expect([path, other.response.status]).toEqual([path, 200])
    expect(other.bytes).toEqual(bytes)
    const policy = other.response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
  }
  expectProblem(await api.request('GET', '/nothing-here'), 'route_not_found')
  expectProblem(await api.request('GET', '/web/nothing.js'), 'not_found')
})

test('weighs less than 40 KB on its way, scripts and styles included', async () => {
  const paths = ['/', ...(await assets())]
  expect(paths.length).toBeGreaterThan(2)
  let weight = 0
  for (const path of paths) {
    const { response, bytes } = await get(path, { 'accept-encoding': 'br, gzip' })
    expect([path, response.headers.get('content-encoding')]).toEqual([path, 'br'])
    expect(brotliDecompressSync(bytes).length).toBeGreaterThan(bytes.length)
    weight += bytes.length
  }
  expect(weight).toBeLessThan(40 * 1024)
})

test('is sent in the encoding that a client takes, and not again to one that has it', async () => {
  const [asset = ''] = await assets()
  const plain = await get(asset, { 'accept-encoding': 'identity' })
  expect(plain.response.headers.get('cache-control')).toContain('immutable')
  const gzip = await get(asset, { 'accept-encoding': 'gzip' })
  expect(gzip.response.headers.get('content-encoding')).toBe('gzip')
  expect(Buffer.from(gunzipSync(gzip.bytes))).toEqual(Buffer.from(plain.bytes))
  for (const path of ['/', asset]) {
    const etag = (await get(path)).response.headers.get('etag') ?? ''
    const again = await get(path, { 'if-none-match': etag })
    expect([again.response.status, again.bytes.length]).toEqual([304, 0])
  }
})
