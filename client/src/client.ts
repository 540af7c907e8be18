import { KEYED, type Notification, type Operations, ROUTES, type Session } from './contract.js'
import { readEvents } from './events.js'
import { ProblemError, throwProblem, UnreachableError } from './problem.js'
import { randomKey } from './random-key.js'
import { toRequest } from './request.js'
import { memorySession, type SessionStore, type StoredSession } from './session.js'
import { secondsToWait, sleep } from './waiting.js'

export interface ClientOptions {
  /** Where the api is: `http://127.0.0.1:8000`. In a browser, the page's own host if absent. */
  readonly url?: string
  /** Where the session is kept: in memory if absent. */
  readonly session?: SessionStore
  /** Called when somebody signed in or out, or the session ended. */
  readonly onSession?: (session: Session | null) => void
  /** In place of the global one. */
  readonly fetch?: typeof fetch
  /** Milliseconds until one try is given up; 20,000 if absent. */
  readonly timeoutMs?: number
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

type Name = keyof Operations
type Input<N extends Name> = Operations[N]['input']
type Answer<N extends Name> = Operations[N]['answer']

/** A method for each operation of the api, by its `operationId`. */
export type Methods = {
  readonly [N in Name]: (
    ...args: object extends Input<N>
      ? [input?: Input<N>, options?: CallOptions]
      : [input: Input<N>, options?: CallOptions]
  ) => Promise<Answer<N>>
}

/** The operations that answer with a page of a list. */
export type ListName = {
  [N in Name]: Answer<N> extends { items: unknown[]; nextCursor: string | null } ? N : never
}[Name]
type Item<N extends ListName> = Answer<N> extends { items: (infer Each)[] } ? Each : never

/** What is new, as it happens. `id` is where to go on after it. */
export type ServerEvent = { readonly id: string } & (
  | { readonly kind: 'posts'; readonly data: { readonly count: number } }
  | { readonly kind: 'notification'; readonly data: Notification }
)

export interface ListenOptions extends CallOptions {
  /** The id of the newest post that you have; without it, posts from now on. */
  readonly after?: string
  /** The id of the last event that you got. */
  readonly lastEventId?: string
}

export interface Client extends Methods {
  /** Whoever is signed in. */
  readonly session: Session | null
  /** Ends the session on the server too, if that can be reached, and forgets it. */
  signOut(): Promise<void>
  /** The items of a list to its true end, page after page as they are asked for. */
  each<N extends ListName>(name: N, input: Input<N>, options?: CallOptions): AsyncGenerator<Item<N>>
  /**
   * Events until `signal` aborts. Where the connection breaks it goes on after the last event, whenever the api can be
   * reached again. Rejects where the session has ended.
   */
  events(options?: ListenOptions): AsyncGenerator<ServerEvent>
}

const TRIES = 3
const TIMEOUT_MS = 20_000
/** A token that ends this soon is refreshed before it is sent. */
const MARGIN_MS = 5_000
/** A stream that is silent for longer than two heartbeats is broken. */
const SILENCE_MS = 60_000
const COME_BACK_MS = 3_000
const COME_BACK_LATEST_MS = 60_000

/**
 * A client of the api. Requests carry the session, which is refreshed by itself, once for all that wait for it.
 * What can be repeated is tried three times where the network or a store fails: reads, `PUT`, `DELETE`, and what takes an
 * `Idempotency-Key`, which gets one. Every method rejects with `ProblemError` (the api refused) or
 * `UnreachableError` (nobody answered), or with the reason of `signal`.
 */
export function createClient(options: ClientOptions = {}): Client {
  const store = options.session ?? memorySession()
  const base = (options.url ?? '').replace(/\/$/, '')
  const send = options.fetch ?? fetch

  function keep(session: Session | null): StoredSession | null {
    const stored = session && { ...session, expiresAt: Date.now() + session.expiresIn * 1_000 }
    store.save(stored)
    options.onSession?.(session)
    return stored
  }

  /** One try. */
  async function exchange(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
    try {
      return await send(url, {
        ...init,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
    } catch (cause) {
      signal?.throwIfAborted()
      throw new UnreachableError(`${base || 'the api'} does not answer`, { cause })
    }
  }

  /** The session with a token that can be sent; null where nobody is signed in. */
  async function freshSession(refused: string | null): Promise<StoredSession | null> {
    const isGood = (session: StoredSession | null): session is StoredSession =>
      session !== null &&
      session.accessToken !== refused &&
      session.expiresAt - MARGIN_MS > Date.now()
    const session = store.load()
    if (session === null || isGood(session)) return session
    return store.exclusive(async () => {
      // Another call, or another tab, may have refreshed it meanwhile.
      const current = store.load()
      if (current === null || isGood(current)) return current
      try {
        const { refreshToken } = current
        return keep(await request('refreshSession', { refreshToken }, null))
      } catch (error) {
        const isOver =
          error instanceof ProblemError &&
          (error.code === 'refresh_token_invalid' || error.code === 'refresh_token_reused')
        if (!isOver) throw error
        return keep(null)
      }
    })
  }

  async function request<N extends Name>(
    name: N,
    input: Record<string, unknown>,
    token: string | null,
    signal?: AbortSignal,
  ): Promise<Answer<N>> {
    const { url, init, isRepeatable } = toRequest(base, name, input)
    if (token !== null) init.headers.authorization = `Bearer ${token}`
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await exchange(url, init, signal)
        if (!response.ok) await throwProblem(response)
        return (response.status === 204 ? undefined : await response.json()) as Answer<N>
      } catch (error) {
        const wait = isRepeatable && attempt < TRIES ? secondsToWait(error, attempt) : null
        if (wait === null) throw error
        await sleep(wait * 1_000, signal)
      }
    }
  }

  async function call<N extends Name>(
    name: N,
    input: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Answer<N>> {
    if (ROUTES[name].includes(' /v1/auth/')) {
      const answer = await request(name, input, null, signal)
      if (name === 'logIn' || name === 'signUp') keep(answer as Session)
      return answer
    }
    const session = await freshSession(null)
    const token = session?.accessToken ?? null
    try {
      return await request(name, input, token, signal)
    } catch (error) {
      const isRefused = error instanceof ProblemError && error.code === 'unauthenticated'
      if (!isRefused || token === null) throw error
      const again = await freshSession(token)
      if (again === null) throw error
      return request(name, input, again.accessToken, signal)
    }
  }

  /** Opens a stream of events; its bytes until it ends. */
  async function openEvents(
    headers: Record<string, string>,
    query: string,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    let refused: string | null = null
    for (;;) {
      const session = await freshSession(refused)
      const token = session?.accessToken ?? ''
      const authorization = `Bearer ${token}`
      const init = { headers: { ...headers, authorization }, signal }
      const response = await send(`${base}/v1/events${query}`, init).catch((cause: unknown) => {
        throw new UnreachableError(`${base || 'the api'} does not answer`, { cause })
      })
      if (response.ok && response.body) return response.body
      const problem = await throwProblem(response).catch((error: unknown) => error)
      const isRefused = problem instanceof ProblemError && problem.code === 'unauthenticated'
      if (!isRefused || session === null || refused !== null) throw problem
      refused = token
    }
  }

  async function* events(given: ListenOptions = {}): AsyncGenerator<ServerEvent> {
    const { signal } = given
    let lastEventId = given.lastEventId
    let failures = 0
    while (!signal?.aborted) {
      // Also where the caller stops listening.
      const stop = new AbortController()
      const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      try {
        const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
        const isFirst = lastEventId === undefined && given.after !== undefined
        const query = isFirst ? `?after=${encodeURIComponent(given.after ?? '')}` : ''
        for await (const event of readEvents(
          await openEvents(headers, query, either),
          SILENCE_MS,
        )) {
          failures = 0
          lastEventId = event.id
          if (event.name === '') continue
          yield { id: event.id, kind: event.name, data: JSON.parse(event.data) } as ServerEvent
        }
      } catch (error) {
        const isOver = error instanceof ProblemError && error.status !== 429 && error.status < 500
        if (isOver && !signal?.aborted) throw error
      } finally {
        stop.abort()
      }
      const wait = Math.min(COME_BACK_LATEST_MS, COME_BACK_MS * 2 ** failures)
      failures += 1
      await sleep(wait * (0.5 + Math.random()), signal).catch(() => undefined)
    }
  }

  const methods = Object.fromEntries(
    (Object.keys(ROUTES) as Name[]).map((name) => [
      name,
      (input: Record<string, unknown> = {}, { signal }: CallOptions = {}) =>
        call(
          name,
          KEYED.includes(name) ? { idempotencyKey: randomKey(), ...input } : input,
          signal,
        ),
    ]),
  ) as unknown as Methods

  return {
    ...methods,
    events,
    get session() {
      return store.load()
    },
    async signOut() {
      const session = store.load()
      keep(null)
      if (session) await methods.logOut({ refreshToken: session.refreshToken })
    },
    async *each(name, input, callOptions) {
      const read = methods[name] as unknown as (
        input: Record<string, unknown>,
        options?: CallOptions,
      ) => Promise<{ items: Item<typeof name>[]; nextCursor: string | null }>
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof read>> = await read(
          cursor === null ? { ...input } : { ...input, cursor },
          callOptions,
        )
        yield* page.items
        cursor = page.nextCursor
      } while (cursor !== null)
    },
  }
}
