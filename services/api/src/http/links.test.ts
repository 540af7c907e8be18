import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openTestApi, type TestApi, type TestUser } from '../testing/test-api'

/** Where it has the library that its users ask by. */
const python = [Bun.which('python3')].find(
  (path) => path !== null && Bun.spawnSync([path, '-c', 'import requests']).exitCode === 0,
)
if (!python) console.log('SKIPPED: no Python with requests here to follow links with')

let api: TestApi
let ada: TestUser
beforeAll(async () => {
  api = await openTestApi()
  ada = await api.signUp('ada')
  await api.signUp('adam')
  for (const text of ['one', 'two', 'three']) {
    await api.request('POST', '/v1/posts', { as: ada, body: { text } })
  }
  await api.settle()
})
afterAll(() => api[Symbol.asyncDispose]())

test.each(['/v1/feed', '/v1/users/ada/posts', '/v1/search/users?q=ada'])(
  '%s can be walked by its links to the end',
  async (list) => {
    const seen: string[] = []
    let next: URL | null = new URL(list, api.url)
    next.searchParams.set('limit', '1')
    while (next) {
      const { body, headers } = await api.request('GET', next.pathname + next.search, { as: ada })
      seen.push(...body.items.map((item: { id: string }) => item.id))
      const link = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')
      expect(link === null).toBe(body.nextCursor === null)
      next = link ? new URL(link[1] ?? '') : null
      expect(next?.origin ?? api.url).toBe(api.url)
      expect(next?.searchParams.get('limit') ?? '1').toBe('1')
    }
    expect(seen.length).toBe(new Set(seen).size)
    expect(seen.length).toBeGreaterThan(1)
  },
)

test('a link carries the origin that the request was sent to, and none that cannot be told', async () => {
  const linkOf = async (headers: Record<string, string>) =>
    (await api.request('GET', '/v1/feed?limit=1', { as: ada, headers })).headers.get('link')
  expect(await linkOf({ host: 'sns.example:8000' })).toMatch(
    /^<http:\/\/sns\.example:8000\/v1\/feed\?limit=1&cursor=\w+>; rel="next"$/,
  )
  expect(await linkOf({ host: 'a@b' })).toMatch(/^<\/v1\/feed\?limit=1&cursor=\w+>; rel="next"$/)
})

test.skipIf(!python)('Python follows links without joining them', async () => {
  const program = `
import sys, requests
url, token, texts = sys.argv[1] + '/v1/feed?limit=1', sys.argv[2], []
while url:
    answer = requests.get(url, headers={'Authorization': 'Bearer ' + token})
    texts += [post['text'] for post in answer.json()['items']]
    url = answer.links.get('next', {}).get('url')
print(','.join(texts))`
  const child = Bun.spawn([python!, '-c', program, api.url, ada.session.accessToken], {
    stdout: 'pipe',
    env: {},
  })
  expect((await new Response(child.stdout).text()).trim()).toBe('three,two,one')
})

test('what was made says where it is', async () => {
  const signup = await api.request('POST', '/v1/auth/signup', {
    body: { username: 'Bob_1', password: 'a password nobody has' },
  })
  expect(signup.headers.get('location')).toBe('/v1/users/Bob_1')
  const post = await api.request('POST', '/v1/posts', { as: ada, body: { text: 'four' } })
  expect(post.headers.get('location')).toBe(`/v1/posts/${post.body.id}`)
  const { headers, body } = await api.request('POST', `/v1/posts/${post.body.id}/comments`, {
    as: ada,
    body: { text: 'yes' },
  })
  expect(headers.get('location')).toBe(`/v1/comments/${body.id}`)
})
