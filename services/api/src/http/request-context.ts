import type { UserId } from '@sns/shared/domain/id'
import { type ClientAddress, countedAs } from '../security/client-address'
import type { Caller } from '../security/fair-queue'
import type { PublicOrigin } from '../security/public-origin'

/** What logs, metrics and problems need to know of a request, from its arrival on. */
export interface RequestContext {
  readonly id: string
  /** As `performance.now()`. */
  readonly startedAt: number
  userId: UserId | null
  /** Whether the limits by address have counted the request. */
  isCounted: boolean
  /** The client's address, as far as proxies are trusted. */
  readonly address: string
  /** What limits count the request under. */
  readonly countedAs: string
  /** The origin under which the client reached the api; null where the request does not tell. */
  readonly origin: string | null
  /** Whom what takes long works for. */
  readonly caller: Caller
}

/** The part of Bun's server that knows the peer address. */
export interface Peers {
  requestIP(request: Request): { readonly address: string } | null
}

export interface RequestContextsDeps {
  readonly clientAddress: ClientAddress
  readonly publicOrigin: PublicOrigin
  /** Null where nothing listens. Asked late, since Elysia makes a getter for each request whose hook names `server`. */
  readonly peers: () => Peers | null
}

export type RequestContexts = ReturnType<typeof createRequestContexts>

/** The address of a request that came from no socket, as in tests. */
const UNKNOWN = '0.0.0.0'
const WELL_FORMED_ID = /^[A-Za-z0-9._:-]{1,64}$/

const contexts = new WeakMap<Request, RequestContext>()

/** The origin under which the client of a request reached the api; null where the request does not tell. */
export function originOf(request: Request): string | null {
  return contexts.get(request)?.origin ?? null
}

export function createRequestContexts({ clientAddress, publicOrigin, peers }: RequestContextsDeps) {
  /** Addresses and abort signals cost more than the rest of a small request: made on first use. */
  class Context implements RequestContext {
    readonly startedAt = performance.now()
    userId: UserId | null = null
    isCounted = false
    #address: string | null = null

    constructor(
      readonly id: string,
      private readonly request: Request,
    ) {}

    get #peer(): string {
      return peers()?.requestIP(this.request)?.address ?? UNKNOWN
    }

    get address(): string {
      this.#address ??= clientAddress(this.#peer, this.request.headers.get('x-forwarded-for'))
      return this.#address
    }

    get origin(): string | null {
      return publicOrigin(this.request, this.#peer)
    }

    get countedAs(): string {
      return countedAs(this.address)
    }

    get caller(): Caller {
      return { key: this.countedAs, signal: this.request.signal }
    }
  }

  return {
    /**
     * Keeps the caller's `X-Request-Id` where it is well-formed, so that ids pass through proxies.
     */
    open(request: Request): RequestContext {
      const given = request.headers.get('x-request-id')
      const id = given !== null && WELL_FORMED_ID.test(given) ? given : crypto.randomUUID()
      const context = new Context(id, request)
      contexts.set(request, context)
      return context
    },
    of(request: Request): RequestContext {
      return contexts.get(request) ?? this.open(request)
    },
  }
}
