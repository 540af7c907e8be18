import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { openTestApi, type TestApi } from '@sns/api/testing/test-api'
import type { UserId } from '@sns/shared/domain/id'
import { eventually } from '@sns/shared/testing/eventually'
import { createClient, type ServerEvent } from './client'
import { ROUTES } from './contract'
import { type RawEvent, readEvents } from './events'
import { ProblemError, throwProblem, UnreachableError } from './problem'
import { memorySession, type SessionStore } from './session'
import { secondsToWait } from './waiting'

const PASSWORD = 'correct horse battery'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

let count = 0
/**
 * A client that is signed in as somebody new, and what it sent. `answer` may answer in place of the api, or lose the
 * answer of the api.
 */
async function somebody(answer?: (url: string, tried: number) => Response | Error | 'lost' | null) {
  const sent: string[] = []
  const options = {
    url: api.url,
    session: memorySession(),
    fetch: (async (url: string, init: RequestInit) => {
      sent.push(`${init.method} ${url.slice(api.url.length)}`)
      const instead = answer?.(
        url,
        sent.filter((each) => each.endsWith(url.slice(api.url.length))).length,
      )
      if (instead instanceof Error) throw instead
      if (instead !== 'lost') return instead ?? fetch(url, init)
      await fetch(url, init)
      throw new Error('the answer was lost')
    }) as unknown as typeof fetch,
  }
  const client = createClient(options)
  count += 1
  const { user } = await client.signUp({ username: `client_${count}`, password: PASSWORD })
  sent.length = 0
  return { client, user, sent, session: options.session as SessionStore }
}

/** What a client's session looks like after its access token has expired. */
function expire(session: SessionStore): void {
  const current = session.load()
  if (current) session.save({ ...current, accessToken: 'expired', expiresAt: 0 })
}

test('has a method for every route of the api', async () => {
  const routes = api.app.routes
    .filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/events')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  expect(Object.values<string>(ROUTES).sort()).toEqual(routes.sort())
})

test('puts input into path, query, body and header, and returns what is answered', async () => {
  const [ada, bob] = [await somebody(), await somebody()]
  await bob.client.followUser({ username: ada.user.username })
  const post = await ada.client.createPost({ text: '안녕 & <hi>', idempotencyKey: 'once' })
  expect(await ada.client.createPost({ text: '안녕 & <hi>', idempotencyKey: 'once' })).toEqual(post)
  const { items, nextCursor } = await bob.client.readFeed({ limit: 5 })
  expect([items, nextCursor]).toEqual([[post], null])
  expect(await bob.client.likePost({ id: post.id })).toBeUndefined()
  expect((await bob.client.readPost({ id: post.id })).viewer.liked).toBe(true)
  const profile = await bob.client.readProfile({ username: ada.user.username })
  expect(profile.counts).toEqual({ followers: 1, following: 0, posts: 1 })
  await ada.client.deleteAccount({ password: PASSWORD })
  await expect(bob.client.readPost({ id: post.id })).rejects.toThrow(ProblemError)
})

test('walks a list to its end, page after page as they are asked for', async () => {
  const { client, sent } = await somebody()
  for (let at = 0; at < 5; at += 1) await client.createPost({ text: `post ${at}` })
  sent.length = 0
  const texts: string[] = []
  for await (const { text } of client.each('readFeed', { limit: 2 })) texts.push(text)
  expect(texts).toEqual(['post 4', 'post 3', 'post 2', 'post 1', 'post 0'])
  expect(sent).toHaveLength(3)
  sent.length = 0
  for await (const post of client.each('readFeed', { limit: 2 })) if (post.text === 'post 3') break
  expect(sent).toHaveLength(1)
})

describe('a session', () => {
  test('that expired is refreshed once for all calls that wait for it', async () => {
    const { client, sent, session } = await somebody()
    expire(session)
    await Promise.all(Array.from({ length: 10 }, () => client.readAccount()))
    expect(sent.filter((each) => each === 'POST /v1/auth/refresh')).toHaveLength(1)
    expect(sent).toHaveLength(11)
  })

  test('whose token is refused early is refreshed, and the call made again', async () => {
    const { client, sent, session } = await somebody()
    const current = session.load()!
    session.save({ ...current, accessToken: 'not a token' })
    expect((await client.readAccount()).username).toBe(current.user.username)
    expect(sent).toEqual(['GET /v1/me', 'POST /v1/auth/refresh', 'GET /v1/me'])
  })

  test('of two clients of one store is refreshed by one of them', async () => {
    const { sent, session } = await somebody()
    const two = [1, 2].map(() =>
      createClient({
        url: api.url,
        session,
        fetch: (async (url: string, init: RequestInit) => {
          sent.push(url)
          return fetch(url, init)
        }) as unknown as typeof fetch,
      }),
    )
    expire(session)
    await Promise.all(two.map((client) => client.readAccount()))
    expect(sent.filter((each) => each.endsWith('/refresh'))).toHaveLength(1)
  })

  test('that is over is forgotten, and said', async () => {
    const heard: unknown[] = []
    const session = memorySession()
    const client = createClient({ url: api.url, session, onSession: (now) => heard.push(now) })
    await client.signUp({ username: 'leaving', password: PASSWORD })
    await client.changeAccount({ currentPassword: PASSWORD, password: 'another long one' })
    const refused = await client.readAccount().catch((error: unknown) => error)
    expect((refused as ProblemError).code).toBe('unauthenticated')
    expect(client.session).toBeNull()
    expect(heard.at(-1)).toBeNull()
    await client.logIn({ username: 'leaving', password: 'another long one' })
    await client.signOut()
    expect([client.session, heard.at(-1)]).toEqual([null, null])
  })

  test('is forgotten by who signs out, though nobody can be reached', async () => {
    const { client, session } = await somebody((url) =>
      url.endsWith('/logout') ? new Error('no network') : null,
    )
    await expect(client.signOut()).rejects.toThrow(UnreachableError)
    expect([client.session, session.load()]).toEqual([null, null])
  })

  test('that was signed out of does not come back with a refresh that was under way', async () => {
    const { client, session } = await somebody((url) =>
      url.endsWith('/logout') ? new Error('no network') : null,
    )
    const answered = Promise.withResolvers<void>()
    const slow = createClient({
      url: api.url,
      session,
      fetch: (async (url: string, init: RequestInit) => {
        const answer = await fetch(url, init)
        if (url.endsWith('/refresh')) await answered.promise
        return answer
      }) as unknown as typeof fetch,
    })
    expire(session)
    const reading = slow.readAccount().catch((error: unknown) => error)
    await Bun.sleep(20)
    await client.signOut().catch(() => {})
    answered.resolve()
    expect(((await reading) as ProblemError).code).toBe('unauthenticated')
    expect(session.load()).toBeNull()
  })

  test('outlives a refresh that nobody answered', async () => {
    const { client, session } = await somebody((url) =>
      url.endsWith('/refresh') ? new Error('no network') : null,
    )
    expire(session)
    await expect(client.readAccount()).rejects.toThrow(UnreachableError)
    expect(client.session).not.toBeNull()
  })
})

describe('a failure', () => {
  let unavailable: () => Response
  beforeEach(() => {
    unavailable = () =>
      Response.json(
        {
          type: 'urn:sns:problem:store_unavailable',
          title: 'Temporarily unavailable',
          status: 503,
          code: 'store_unavailable',
          requestId: 'r',
        },
        { status: 503, headers: { 'retry-after': '0' } },
      )
  })

  test('of a store or the network passes: reads and posts are tried again', async () => {
    const { client, sent } = await somebody((url, tried) =>
      !url.includes('/auth/') && tried === 1 ? unavailable() : null,
    )
    expect((await client.readFeed()).items).toEqual([])
    const { id } = await client.createPost({ text: 'once only' })
    expect((await client.readFeed()).items.map((post) => post.id)).toEqual([id])
    expect(sent.filter((each) => each === 'POST /v1/posts')).toHaveLength(2)
  })

  test('that stays is told after three tries', async () => {
    const { client, sent } = await somebody((url) => (url.endsWith('/me') ? unavailable() : null))
    const error = await client.readAccount().catch((each: unknown) => each)
    expect((error as ProblemError).code).toBe('store_unavailable')
    expect(sent).toHaveLength(3)
  })

  test('after which something may be there makes nothing twice', async () => {
    const { client, sent } = await somebody((url, tried) =>
      url.includes('/posts') && tried === 1 ? 'lost' : null,
    )
    const post = await client.createPost({ text: 'once only' })
    const comment = await client.createComment({ id: post.id, text: 'once only' })
    expect((await client.listComments({ id: post.id })).items).toEqual([comment])
    expect((await client.readFeed()).items.map(({ id }) => id)).toEqual([post.id])
    expect(sent.filter((each) => each.startsWith('POST'))).toHaveLength(4)
  })

  test('of what must not be done twice is told at once', async () => {
    const { client, sent } = await somebody((url) =>
      url.endsWith('/me') ? new Error('cut') : null,
    )
    const change = { currentPassword: PASSWORD, password: 'another long one' }
    await expect(client.changeAccount(change)).rejects.toThrow(UnreachableError)
    expect(sent).toHaveLength(1)
  })

  test('says what was wrong with each field', async () => {
    const { client } = await somebody()
    const error = await client
      .signUp({ username: '!', password: 'x' })
      .catch((each: unknown) => each)
    expect((error as ProblemError).fields.map(({ field }) => field)).toEqual([
      'username',
      'password',
    ])
  })

  test('to answer in time, or to the end, is told as no answer', async () => {
    const hangs = (url: string, { signal }: RequestInit) =>
      url.endsWith('/logout')
        ? new Promise<Response>((_, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason))
          })
        : Promise.resolve(
            new Response(
              new ReadableStream({
                start(controller) {
                  controller.enqueue(new TextEncoder().encode('{"id":'))
                  signal?.addEventListener('abort', () => controller.error(signal.reason))
                },
              }),
            ),
          )
    const client = createClient({
      url: api.url,
      timeoutMs: 30,
      fetch: hangs as unknown as typeof fetch,
    })
    await expect(client.logOut({ refreshToken: 'x' })).rejects.toThrow(UnreachableError)
    // Whoever began first would give up first, if both had the same time.
    const gaveUp: string[] = []
    const patient = createClient({ timeoutMs: 500, fetch: hangs as unknown as typeof fetch })
    await Promise.all([
      patient.logOut({ refreshToken: 'x' }).catch(() => gaveUp.push('patient')),
      client.logOut({ refreshToken: 'x' }).catch(() => gaveUp.push('hasty')),
    ])
    expect(gaveUp).toEqual(['hasty', 'patient'])
    const signUp = { username: 'hanging', password: PASSWORD }
    await expect(client.signUp(signUp)).rejects.toThrow(UnreachableError)
    const { client: cut, sent } = await somebody((url, tried) =>
      url.endsWith('/me') && tried === 1 ? new Response('{"id":') : null,
    )
    expect((await cut.readAccount()).username).toStartWith('client_')
    expect(sent).toHaveLength(2)
  })

  test.each([
    ['7', 7, 14],
    ['0', 0, 0],
    [null, 1, 2],
    ['11', null, null],
    [new Date(Date.now() + 3_600_000).toUTCString(), null, null],
    ['soon', 1, 2],
  ])('with Retry-After %p is tried again when that says', async (header, least, most) => {
    const headers: Record<string, string> = header === null ? {} : { 'retry-after': header }
    const body = await unavailable().json()
    const refused = new Response(JSON.stringify(body), { status: 503, headers })
    const error = await throwProblem(refused).catch((each: unknown) => each)
    const wait = secondsToWait(error, 1)
    if (least === null || most === null) expect(wait).toBeNull()
    else {
      expect(wait).toBeGreaterThanOrEqual(least)
      expect(wait).toBeLessThanOrEqual(most)
    }
  })

  test('of something that is not the api is told as such', async () => {
    const { client } = await somebody((url) =>
      url.endsWith('/me') ? new Response('<html>', { status: 404 }) : null,
    )
    await expect(client.readAccount()).rejects.toThrow('answered 404, and not as the api does')
  })

  test('does not hide that the caller gave up', async () => {
    const { client } = await somebody((url) => (url.endsWith('/me') ? new Error('cut') : null))
    const given = new AbortController()
    const waiting = client.readAccount({}, { signal: given.signal })
    setTimeout(() => given.abort(new Error('enough')), 50)
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('events', () => {
  test('come as they happen, and go on after the last one where the connection breaks', async () => {
    const [ada, bob] = [await somebody(), await somebody()]
    await ada.client.followUser({ username: bob.user.username })
    const author = Number(bob.user.id) as UserId
    const deliver = async (text: string) => {
      await bob.client.createPost({ text })
      await api.fanOut()
      await api.stores.freshness.hint([{ kind: 'delivered', author }])
    }
    const stop = new AbortController()
    const heard: ServerEvent[] = []
    const listening = (async () => {
      for await (const event of ada.client.events({ signal: stop.signal })) heard.push(event)
    })()
    await eventually(() => ada.sent.includes('undefined /v1/events'))
    await Bun.sleep(20)
    await deliver('one')
    await eventually(() => heard.length === 1)
    stop.abort()
    await listening
    await deliver('two')
    await deliver('three')
    for await (const event of ada.client.events({ lastEventId: heard[0]!.id })) {
      expect(event).toMatchObject({ kind: 'posts', data: { count: 2 } })
      break
    }
  })

  test('that happened while a connection was broken before its first event are not lost', async () => {
    const [ada, bob] = [await somebody(), await somebody()]
    await ada.client.followUser({ username: bob.user.username })
    const breaks = new AbortController()
    let tries = 0
    const client = createClient({
      url: api.url,
      session: ada.session,
      fetch: ((url: string, init: RequestInit) => {
        tries += 1
        return fetch(url, tries === 1 ? { ...init, signal: breaks.signal } : init)
      }) as typeof fetch,
    })
    const listening = client.events().next()
    await eventually(() => tries === 1)
    await Bun.sleep(50)
    breaks.abort()
    await bob.client.createPost({ text: 'missed' })
    await api.fanOut()
    api.clock.advance(60_000)
    expect((await listening).value).toMatchObject({ kind: 'posts', data: { count: 1 } })
  }, 20_000)

  test('go on after a refusal that passes, when it says; the caller hears of it', async () => {
    const limited = (seconds: string) =>
      Response.json(
        {
          type: 'urn:sns:problem:too_many_requests',
          title: 'Too many requests',
          status: 429,
          code: 'too_many_requests',
          requestId: 'r',
        },
        { status: 429, headers: { 'retry-after': seconds } },
      )
    const heard: unknown[] = []
    const stop = new AbortController()
    const onProblem = (problem: Error, retryInMs: number) =>
      heard.push([problem instanceof ProblemError && problem.code, retryInMs >= 90_000])
    const { client } = await somebody((url, tried) =>
      url.includes('/v1/events') && tried === 1 ? limited('0') : null,
    )
    const onOpen = () => {
      heard.push('open')
      stop.abort()
    }
    for await (const event of client.events({ signal: stop.signal, onProblem, onOpen }))
      heard.push(event)
    expect(heard).toEqual([['too_many_requests', false], 'open'])

    heard.length = 0
    const { client: patient } = await somebody((url) =>
      url.includes('/v1/events') ? limited('90') : null,
    )
    const enough = new AbortController()
    const listening = patient
      .events({
        signal: enough.signal,
        onProblem(problem, retryInMs) {
          onProblem(problem, retryInMs)
          enough.abort()
        },
      })
      .next()
    expect((await listening).done).toBe(true)
    expect(heard).toEqual([['too_many_requests', true]])
  }, 20_000)

  test('that cannot be opened in time are tried again, and the caller hears of it', async () => {
    const stop = new AbortController()
    const { session } = await somebody()
    const problems: unknown[] = []
    const client = createClient({
      url: api.url,
      session,
      timeoutMs: 30,
      fetch: ((_: string, { signal }: RequestInit) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason))
        })) as unknown as typeof fetch,
    })
    const onProblem = (problem: unknown) => {
      problems.push(problem)
      stop.abort()
    }
    await client.events({ signal: stop.signal, onProblem }).next()
    expect(problems).toEqual([expect.any(UnreachableError)])
  })

  test('end where the session is over', async () => {
    const { client, session } = await somebody()
    session.save({ ...session.load()!, accessToken: 'x', refreshToken: 'y', expiresAt: 0 })
    await expect(client.events().next()).rejects.toThrow(ProblemError)
  })

  test('are read whatever pieces they come in, comments left out, until it is silent for too long', async () => {
    const text =
      'retry: 1\nid: a\n\n:\n\nevent: posts\nid: 가\ndata: {"count":1}\n\nevent: posts\nid: b\ndata: 2\n\n'
    const bytes = new TextEncoder().encode(text)
    for (const size of [1, 2, 7, 1_000]) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size)
            controller.enqueue(bytes.slice(at, at + size))
        },
      })
      const events: RawEvent[] = []
      const reading = (async () => {
        for await (const event of readEvents(body, 20)) events.push(event)
      })()
      await expect(reading).rejects.toThrow('silent')
      expect(events).toEqual([
        { name: '', id: 'a', data: '' },
        { name: 'posts', id: '가', data: '{"count":1}' },
        { name: 'posts', id: 'b', data: '2' },
      ])
    }
  })
})
