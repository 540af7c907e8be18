import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cleanText } from '@sns/shared/domain/text'
import { COSTLY_TEXTS } from '@sns/shared/testing/costly-texts'
import { longestStall } from '@sns/shared/testing/loop-stall'
import { postRow } from '@sns/shared/testing/post-rows'
import { type DocumentedRoute, documentedRoutes, pathOf } from './testing/documented-routes'
import { type RawRequest, requestBytes, sendBytes } from './testing/raw-request'
import { openTestApi, PASSWORD, type TestApi, type TestUser } from './testing/test-api'

/** The most that the head of a request holds here, and that a body may hold, less what is around the text. */
const HEAD_BYTES = 14_000
const BODY_BYTES = 65_000
/** How often a request is sent before its shortest stall counts: a collection of garbage makes any one of them long. */
const TRIES = 6
/** Below it, the machine's own pauses dominate, in milliseconds. */
const FLOOR_MS = 2.5
/** How many times as long as with plain letters the loop may be held. */
const TIMES = 6
/** The same of a page of a hundred long posts. */
const TIMES_OF_MANY = 12

/** Read from every request, documented or not. */
const HEADERS = [
  ...['Authorization', 'X-Request-Id', 'X-Forwarded-For', 'If-None-Match', 'Cookie', 'Origin'],
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Content-Type', 'Referer', 'User-Agent'],
]
const GENERAL = ['GET /v1/posts/{id}', 'POST /v1/auth/login', 'GET /v1/feed']

let api: TestApi
let user: TestUser
let routes: readonly DocumentedRoute[]
let post: string
beforeAll(async () => {
  api = await openTestApi({
    settings: {
      trustedProxies: [{ address: '127.0.0.0', prefix: 8 }],
      cors: { origins: ['https://app.example'], credentials: true, methods: [], headers: [] },
    },
  })
  user = await api.signUp('costly')
  routes = await documentedRoutes(api)
  post = (await api.request('POST', '/v1/posts', { as: user, body: { text: 'a post' } })).body.id
  await api.settle()
})
afterAll(() => api[Symbol.asyncDispose]())

/** A request with a text in one place. */
interface Place {
  readonly name: string
  readonly bytes: number
  readonly request: (text: string) => RawRequest
}

const VALUES: Readonly<Record<string, string>> = {
  username: 'costly_2',
  password: PASSWORD,
  currentPassword: PASSWORD,
  text: 'a text',
}

type Headers = NonNullable<RawRequest['headers']>

function authorized(headers: Headers = []): Headers {
  return [['authorization', `Bearer ${user.session.accessToken}`], ...headers]
}

function withBody(route: DocumentedRoute, body: string): RawRequest {
  return {
    method: route.method,
    target: pathOf(route, {}, post),
    headers: authorized([['content-type', 'application/json']]),
    body: Buffer.from(body),
  }
}

/** As it may stand in a path or a query: what is not ASCII as its own bytes, which are fewer than their escapes. */
function inTarget(text: string, bytes = HEAD_BYTES): string {
  const parts: string[] = []
  let size = 0
  for (const character of text) {
    const part = /[\w.~-]/.test(character)
      ? character
      : character > '\u00a0' && character.isWellFormed()
        ? character
        : [...Buffer.from(character)]
            .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
            .join('')
    size += Buffer.byteLength(part)
    if (size > bytes) break
    parts.push(part)
  }
  return parts.join('')
}

function inHeader(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ').slice(0, HEAD_BYTES)
}

/** As JSON, as much of it as fits. */
function inBody(route: DocumentedRoute, field: string, text: string): string {
  const fields = Object.fromEntries((route.body ?? []).map((name) => [name, VALUES[name] ?? 'x']))
  const around = Buffer.byteLength(JSON.stringify({ ...fields, [field]: '' }))
  let shown = text
  while (Buffer.byteLength(JSON.stringify(shown)) + around > BODY_BYTES) {
    shown = shown.slice(0, Math.floor(shown.length * 0.8))
  }
  return JSON.stringify({ ...fields, [field]: shown })
}

function placesOf(route: DocumentedRoute): readonly Place[] {
  const { method, name } = route
  const filler = route.body === null ? null : Buffer.from(JSON.stringify(VALUES))
  const target = pathOf(route, {}, post)
  const json = [['content-type', 'application/json']] as const
  const headers = authorized(filler === null ? [] : json)
  return [
    ...route.params.map((param) => ({
      name: `${name} path ${param}`,
      bytes: HEAD_BYTES,
      request: (text: string) => ({
        method,
        target: pathOf(route, { [param]: inTarget(text) }, post),
        headers,
        body: filler,
      }),
    })),
    ...route.query.map((param) => ({
      name: `${name} query ${param}`,
      bytes: HEAD_BYTES,
      request: (text: string) => ({
        method,
        target: `${target}?${param}=${inTarget(text)}${param === 'q' || !route.query.includes('q') ? '' : '&q=a'}`,
        headers,
        body: filler,
      }),
    })),
    ...[...route.headers, ...(GENERAL.includes(name) ? HEADERS : [])].map((header) => ({
      name: `${name} header ${header}`,
      bytes: HEAD_BYTES,
      request: (text: string) => {
        const prefix = header === 'Authorization' ? 'Bearer ' : ''
        const others = headers.filter(([each]) => each !== header.toLowerCase())
        return {
          method,
          target,
          headers: [...others, [header, `${prefix}${inHeader(text)}`] as const],
          body: filler,
        }
      },
    })),
    ...(route.body ?? []).map((field) => ({
      name: `${name} body ${field}`,
      bytes: BODY_BYTES,
      request: (text: string) => withBody(route, inBody(route, field, text)),
    })),
  ]
}

/** The shortest of the longest stalls of a few tries, which end once it is short enough. */
async function stallOf(request: RawRequest, enough: number): Promise<number> {
  const bytes = requestBytes(request)
  let shortest = Number.POSITIVE_INFINITY
  for (let at = 0; at < TRIES && shortest > enough; at += 1) {
    let status = 0
    const stall = await longestStall(async () => {
      status = await sendBytes(api.url, bytes)
    })
    expect(status, 'an answer that is no failure').toBeWithin(200, 500)
    shortest = Math.min(shortest, stall)
  }
  return shortest
}

/** What holds the loop for much longer than `plain` does. */
async function costly(
  plain: RawRequest,
  requests: readonly (readonly [name: string, request: RawRequest])[],
  times = TIMES,
): Promise<readonly string[]> {
  const most = times * Math.max(FLOOR_MS, await stallOf(plain, FLOOR_MS))
  const found: string[] = []
  for (const [name, request] of requests) {
    const stall = await stallOf(request, most)
    if (stall > most) found.push(`${name}: ${stall.toFixed(1)} of ${most.toFixed(1)} ms`)
  }
  return found
}

const letters = (bytes: number) => 'x'.repeat(bytes)

describe('no request holds the event loop', () => {
  test('by any string that it carries', async () => {
    const found: string[] = []
    const places = routes.flatMap(placesOf)
    expect(places.length).toBeGreaterThan(100)
    for (const { name, bytes, request } of places) {
      const texts = COSTLY_TEXTS.map(
        (each) => [`${name}: ${each.name}`, request(each.text(bytes))] as const,
      )
      found.push(...(await costly(request(letters(bytes)), texts)))
    }
    expect(found).toEqual([])
  }, 300_000)

  test('by the shape of a body, whether or not its route takes one', async () => {
    const many = (piece: string) => piece.repeat(Math.floor(BODY_BYTES / piece.length)).slice(0, -1)
    const shapes: Readonly<Record<string, string>> = {
      'nested arrays': '['.repeat(BODY_BYTES / 2) + ']'.repeat(BODY_BYTES / 2),
      'nested objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      'nested in a field': `{"text":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
      'arrays that are not closed': '['.repeat(BODY_BYTES),
      'objects that are not closed': '{"a":'.repeat(BODY_BYTES / 5),
      'empty arrays': `[${many('[],')}]`,
      'empty objects': `[${many('{},')}]`,
      'empty arrays in a field': `{"text":[${many('[],').slice(20)}]}`,
      'numbers in a field': `{"password":[${many('1,').slice(20)}]}`,
      'texts in a field': `{"username":[${many('"",').slice(20)}]}`,
      'unknown fields': `{${Array.from({ length: 5_500 }, (_, at) => `"${at}":${at}`).join(',')}}`,
      'one field again and again': `{${many('"text":"",')}}`,
      'a long name': `{"${letters(60_000)}":1}`,
      'a long name of slashes': `{"${'/~'.repeat(30_000)}":1}`,
      'a long number': `{"text":${'9'.repeat(60_000)}}`,
      'a long fraction': `{"text":1e${'9'.repeat(60_000)}}`,
      escapes: `{"text":"${'\\u0315'.repeat(10_000)}"}`,
      blanks: ' '.repeat(BODY_BYTES),
    }
    const found: string[] = []
    for (const route of routes) {
      if (route.method === 'GET') continue
      const bodies = Object.entries(shapes).map(
        ([name, body]) => [`${route.name}: ${name}`, withBody(route, body)] as const,
      )
      const plain = JSON.stringify({ text: letters(BODY_BYTES - 100) })
      found.push(...(await costly(withBody(route, plain), bodies)))
    }
    expect(found).toEqual([])
  }, 300_000)

  test('by how much there is of something in its head', async () => {
    const again = (piece: string) => piece.repeat(Math.floor(HEAD_BYTES / piece.length))
    const found: string[] = []
    for (const route of routes) {
      const target = pathOf(route, {}, post)
      const ask = (query: string, headers: Headers = []): RawRequest => ({
        method: route.method,
        target: `${target}?${query}`,
        headers: authorized(headers),
      })
      const names = [...route.query, 'x']
      found.push(
        ...(await costly(ask(`x=${letters(HEAD_BYTES - 10)}`), [
          ...names.map(
            (name) => [`${route.name}: ${name} again and again`, ask(again(`${name}=1&`))] as const,
          ),
          [
            `${route.name}: names`,
            ask(Array.from({ length: 1_500 }, (_, at) => `k${at}=`).join('&')),
          ],
          [`${route.name}: ampersands`, ask(again('&'))],
          [`${route.name}: equals signs`, ask(again('='))],
          [`${route.name}: brackets`, ask(`${again('a[')}=1`)],
          [`${route.name}: cookies`, ask('', [['cookie', again('a=b; ')]])],
          [
            `${route.name}: headers`,
            ask(
              '',
              Array.from({ length: 90 }, (_, at) => [`x-${at}`, letters(100)] as const),
            ),
          ],
        ])),
      )
    }
    expect(found).toEqual([])
  }, 300_000)

  test('by what it shows, of posts and comments that were written before', async () => {
    const write = async (name: string, text: string) => {
      const author = await api.signUp(name)
      const posts = Array.from({ length: 100 }, () => ({
        ...postRow(api.deps.ids.next<'post'>(), text),
        author_id: author.id,
      }))
      const post_id = posts[0]!.id
      const comments = posts.map(() => ({
        id: api.deps.ids.next<'comment'>(),
        post_id,
        author_id: author.id,
        text: [...text].slice(0, 1_000).join(''),
        created_at: 1,
      }))
      await api.db.insertInto('posts').values(posts).execute()
      await api.db.insertInto('comments').values(comments).execute()
      const as = author.session.accessToken
      const get = (target: string): RawRequest => ({
        method: 'GET',
        target,
        headers: [['authorization', `Bearer ${as}`]],
      })
      const some = (length: number) =>
        encodeURIComponent([...text].slice(0, length).join('').toWellFormed())
      return [
        ['posts', get(`/v1/users/${name}/posts?limit=100`)],
        ['feed', get('/v1/feed?limit=100')],
        ['comments', get(`/v1/posts/${post_id}/comments?limit=100`)],
        ['search', get(`/v1/search/posts?q=needle&author=${name}&limit=100`)],
        ['search for it', get(`/v1/search/posts?q=needle%20${some(4)}&author=${name}&limit=100`)],
        ['search for much of it', get(`/v1/search/posts?q=needle%20${some(180)}&limit=100`)],
      ] as const
    }
    const asPost = (text: string) =>
      cleanText(`${[...text].slice(0, 1_900).join('')} needle`, 2_000)
    const plain = await write('plain_letters', `${letters(1_900)} needle`)
    const shown: (readonly [string, RawRequest, RawRequest])[] = []
    for (const [at, each] of COSTLY_TEXTS.entries()) {
      const cleaned = asPost(each.text(20_000))
      if (!cleaned.ok) continue
      for (const [of, [what, request]] of (
        await write(`costly_text_${at}`, cleaned.text)
      ).entries()) {
        shown.push([`${what}: ${each.name}`, plain[of]![1], request])
      }
    }
    expect(shown.length).toBeGreaterThan(100)
    await api.index()
    const found: string[] = []
    for (const [name, reference, request] of shown) {
      found.push(...(await costly(reference, [[name, request]], TIMES_OF_MANY)))
    }
    expect(found).toEqual([])
  }, 300_000)
})
