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
  /** More happened than is sent one by one: read the list from its top. */
  | { readonly kind: 'reset'; readonly data: { readonly list: 'notifications' } }
)

export interface ListenOptions extends CallOptions {
  /** The id of the newest post that you have; without it, posts from now on. */
  readonly after?: string
  /** The id of the last event that you got. */
  readonly lastEventId?: string
  /** Called whenever the stream is open, at first and again. */
  readonly onOpen?: () => void
  /**
   * Called whenever the stream broke or cannot be opened, with what is known of why and the milliseconds until the next
   * try. Browsers hide from a page of another origin what the api answered: all it gets is `UnreachableError`.
   */
  readonly onProblem?: (problem: ProblemError | UnreachableError, retryInMs: number) => void
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
   * reached again; `onProblem` hears of it meanwhile. Rejects where the session has ended or the api refuses for good.
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

async function readAnswer<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) await throwProblem(response)
  return (response.status === 204 ? undefined : await response.json()) as Answer
}

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
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS

  function keep(session: Session | null): StoredSession | null {
    const stored = session && { ...session, expiresAt: Date.now() + session.expiresIn * 1_000 }
    store.save(stored)
    options.onSession?.(session)
    return stored
  }

  /** Sends a request and reads its answer with `read`, within the time of one try. */
  async function exchange<Answer>(
    url: string,
    init: RequestInit,
    read: (response: Response) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const either = signal ? AbortSignal.any([signal, timeout]) : timeout
      return await read(await send(url, { ...init, signal: either }))
    } catch (cause) {
      signal?.throwIfAborted()
      throw cause instanceof ProblemError || cause instanceof UnreachableError
        ? cause
        : unreachable(cause)
    }
  }

  /** Whatever else went wrong: no connection, a timeout, an answer that was cut short. */
  function unreachable(cause: unknown): UnreachableError {
    return new UnreachableError(`${base || 'the api'} does not answer`, { cause })
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
        const next = await request('refreshSession', { refreshToken }, null)
        // Somebody signed out, or in as somebody else, meanwhile: that stays.
        const now = store.load()
        return now?.refreshToken === refreshToken ? keep(next) : now
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
        return await exchange(url, init, readAnswer<Answer<N>>, signal)
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
      try {
        const authorization = `Bearer ${token}`
        return await openStream(`${base}/v1/events${query}`, { ...headers, authorization }, signal)
      } catch (error) {
        const isRefused = error instanceof ProblemError && error.code === 'unauthenticated'
        if (!isRefused || session === null || refused !== null) throw error
        refused = token
      }
    }
  }

  /** The time of one try bounds how long the stream may take to open, not how long it lasts. */
  async function openStream(
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    try {
      const init = { headers, signal: AbortSignal.any([signal, late.signal]) }
      const response = await send(url, init).catch((cause: unknown) => {
        throw unreachable(cause)
      })
      return response.ok && response.body ? response.body : await throwProblem(response)
    } finally {
      clearTimeout(timer)
    }
  }

  async function* events(given: ListenOptions = {}): AsyncGenerator<ServerEvent> {
    const { signal, onOpen, onProblem } = given
    let lastEventId = given.lastEventId
    let failures = 0
    while (!signal?.aborted) {
      // Also where the caller stops listening.
      const stop = new AbortController()
      const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      let problem: ProblemError | UnreachableError
      try {
        const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
        const isFirst = lastEventId === undefined && given.after !== undefined
        const query = isFirst ? `?after=${encodeURIComponent(given.after ?? '')}` : ''
        const body = await openEvents(headers, query, either)
        onOpen?.()
        for await (const event of readEvents(body, SILENCE_MS)) {
          failures = 0
          lastEventId = event.id
          if (event.name === '') continue
          yield { id: event.id, kind: event.name, data: JSON.parse(event.data) } as ServerEvent
        }
        problem = new UnreachableError('the stream of events ended')
      } catch (error) {
        if (signal?.aborted) return
        if (error instanceof ProblemError && error.status !== 429 && error.status < 500) throw error
        const isKnown = error instanceof ProblemError || error instanceof UnreachableError
        problem = isKnown
          ? error
          : new UnreachableError('the stream of events broke', { cause: error })
      } finally {
        stop.abort()
      }
      const backOff = Math.min(COME_BACK_LATEST_MS, COME_BACK_MS * 2 ** failures)
      const asked = (problem.retryAfterSeconds ?? 0) * 1_000
      const wait = Math.max(asked, backOff * 0.5) + backOff * Math.random()
      failures += 1
      onProblem?.(problem, wait)
      await sleep(wait, signal).catch(() => undefined)
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
