import type { UserId } from '@sns/shared/domain/id'
import { type ClientAddress, countedAs } from '../security/client-address'
import type { Caller } from '../security/fair-queue'

/** What is known of a request from its arrival on, for logs, metrics and problems. */
export interface RequestContext {
  readonly id: string
  /** As `performance.now()`. */
  readonly startedAt: number
  userId: UserId | null
  /** Of the client, as far as proxies are trusted. */
  readonly address: string
  /** Whose share of what is limited it uses. */
  readonly caller: Caller
}

/** As much of Bun's server as tells who is at the other end. */
export interface Peers {
  requestIP(request: Request): { readonly address: string } | null
}

export interface RequestContextsDeps {
  readonly clientAddress: ClientAddress
}

export type RequestContexts = ReturnType<typeof createRequestContexts>

/** Where a request came from no socket, as in tests. */
const UNKNOWN = '0.0.0.0'
const WELL_FORMED_ID = /^[A-Za-z0-9._:-]{1,64}$/

export function createRequestContexts({ clientAddress }: RequestContextsDeps) {
  const contexts = new WeakMap<Request, RequestContext>()

  /** Addresses and signals cost more than the rest of a small request: they are made when asked for. */
  class Context implements RequestContext {
    readonly startedAt = performance.now()
    userId: UserId | null = null
    #address: string | null = null

    constructor(
      readonly id: string,
      private readonly request: Request,
      private readonly peers: Peers | null,
    ) {}

    get address(): string {
      this.#address ??= clientAddress(
        this.peers?.requestIP(this.request)?.address ?? UNKNOWN,
        this.request.headers.get('x-forwarded-for'),
      )
      return this.#address
    }

    get caller(): Caller {
      return { key: countedAs(this.address), signal: this.request.signal }
    }
  }

  return {
    /** Takes the caller's `X-Request-Id` where it is well-formed, so that ids go through a proxy. */
    open(request: Request, peers: Peers | null): RequestContext {
      const given = request.headers.get('x-request-id')
      const id = given !== null && WELL_FORMED_ID.test(given) ? given : crypto.randomUUID()
      const context = new Context(id, request, peers)
      contexts.set(request, context)
      return context
    },
    of(request: Request): RequestContext {
      return contexts.get(request) ?? this.open(request, null)
    },
  }
}
