import { type Operations, ROUTES, type Session } from './contract.js'
import { ProblemError, throwProblem, UnreachableError } from './problem.js'
import { memorySession, type SessionStore, type StoredSession } from './session.js'

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

export interface Client extends Methods {
  /** Whoever is signed in. */
  readonly session: Session | null
  /** Ends the session on the server too, if that can be reached, and forgets it. */
  signOut(): Promise<void>
  /** The items of a list to its true end, page after page as they are asked for. */
  each<N extends ListName>(name: N, input: Input<N>, options?: CallOptions): AsyncGenerator<Item<N>>
}

const TRIES = 3
const TIMEOUT_MS = 20_000
/** A token that ends this soon is refreshed before it is sent. */
const MARGIN_MS = 5_000
const LONGEST_WAIT_SECONDS = 10
/** What may be sent again although the first try may have been carried out. */
const REPEATABLE: readonly string[] = ['GET', 'PUT', 'DELETE']

/**
 * A client of the api. Requests carry the session, which is refreshed by itself, once for all that wait for it.
 * What can be repeated is tried three times where the network or a store fails: reads, `PUT`, `DELETE`, and `createPost`,
 * which gets an `Idempotency-Key`. Every method rejects with `ProblemError` (the api refused) or
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

  const methods = Object.fromEntries(
    (Object.keys(ROUTES) as Name[]).map((name) => [
      name,
      (input: Record<string, unknown> = {}, { signal }: CallOptions = {}) =>
        call(
          name,
          name === 'createPost' ? { idempotencyKey: crypto.randomUUID(), ...input } : input,
          signal,
        ),
    ]),
  ) as unknown as Methods

  return {
    ...methods,
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

interface Prepared {
  readonly url: string
  readonly init: { method: string; headers: Record<string, string>; body?: string }
  readonly isRepeatable: boolean
}

/** Puts each part of the input where the route wants it: path, header, query or body. */
function toRequest(base: string, name: Name, input: Record<string, unknown>): Prepared {
  const [method = '', template = ''] = ROUTES[name].split(' ')
  const { idempotencyKey, ...rest } = input
  const path = template.replace(/\{(\w+)\}/g, (_, part: string) => {
    const value = rest[part]
    delete rest[part]
    return encodeURIComponent(String(value))
  })
  const headers: Record<string, string> = {}
  if (typeof idempotencyKey === 'string') headers['idempotency-key'] = idempotencyKey
  const isRepeatable = REPEATABLE.includes(method) || idempotencyKey !== undefined
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  if (given.length === 0) return { url: base + path, init: { method, headers }, isRepeatable }
  if (method === 'GET') {
    const query = new URLSearchParams()
    for (const [key, value] of given) query.set(key, String(value))
    return { url: `${base}${path}?${query}`, init: { method, headers }, isRepeatable }
  }
  headers['content-type'] = 'application/json'
  const body = JSON.stringify(Object.fromEntries(given))
  return { url: base + path, init: { method, headers, body }, isRepeatable }
}

/** How long to wait before another try, with jitter; null where another would not help. */
function secondsToWait(error: unknown, attempt: number): number | null {
  if (error instanceof UnreachableError) return 2 ** (attempt - 2) * (1 + Math.random())
  if (!(error instanceof ProblemError) || error.status !== 503) return null
  const least = error.retryAfterSeconds ?? 1
  return least > LONGEST_WAIT_SECONDS ? null : least * (1 + Math.random() / 2)
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
