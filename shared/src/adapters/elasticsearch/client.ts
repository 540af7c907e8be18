import { Client, errors, type TransportRequestOptions } from '@elastic/elasticsearch'
import { backoffMs } from '../../async/retry'
import type { Settings } from '../../config/program-settings'
import { asError, withoutQuoted } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'
import { StoreHalted } from '../../errors/store-halted'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'
import { FetchConnection } from './fetch-connection'
import { haltReason } from './halts'

/** One call of the vendor's typed client; `options` carry its time limit and go with it. */
export type ElasticsearchCall<Answer> = (
  api: Client,
  options: TransportRequestOptions,
) => Promise<Answer>

export interface CallOptions {
  readonly timeoutMs?: number
  /** How often it is tried at most; only what may be done twice is tried twice. */
  readonly attempts?: number
  /** Statuses that the caller deals with: they come as an `ElasticsearchRefusal`, neither logged nor counted. */
  readonly expected?: readonly number[]
}

/** One connection pool to Elasticsearch, shared by the adapters. */
export interface ElasticsearchClient extends AsyncDisposable {
  /** Where it is, without a password in it: for messages to the operator. */
  readonly url: string
  /**
   * Errors: `store_unavailable` where Elasticsearch is down, too slow, overloaded or misses an index; the same as
   * `StoreHalted` where its operator must act; `ElasticsearchRefusal` for any other refusal, which is a mistake of ours.
   */
  call<Answer>(send: ElasticsearchCall<Answer>, options?: CallOptions): Promise<Answer>
  /** Counts what an adapter tries again by itself. */
  countRetry(): void
  readonly health: HealthCheck
}

/**
 * What Elasticsearch said no to. The client's own error would carry the request and its answer, and the
 * server's messages quote from them: here are no values that the request held.
 */
export class ElasticsearchRefusal extends Error {
  override readonly name = 'ElasticsearchRefusal'
  readonly status: number
  /** As `index_not_found_exception`. */
  readonly type: string | undefined
  readonly reason: string | undefined

  constructor(error: errors.ResponseError) {
    super(withoutQuoted(error.message))
    this.status = error.statusCode ?? 0
    const { type, reason } = refusalOf(error.body)
    this.type = type
    this.reason = reason === undefined ? undefined : withoutQuoted(reason)
  }
}

export interface ElasticsearchClientDeps {
  readonly logger: Pick<Logger, 'error'>
  readonly metrics: Pick<Metrics, 'storeErrors' | 'storeRetries'>
}

const ATTEMPTS = 3
const BACKOFF = { baseMs: 100, capMs: 1_000 }
const TIMEOUT_MS = 5_000
const HEALTH_TIMEOUT_MS = 2_000
/** 404: an index that is lost is made anew while we go on asking. */
const OUTSIDE_OUR_POWER = new Set([404, 408, 429])

export function createElasticsearchClient(
  settings: Omit<Settings['elasticsearch'], 'newIndex'>,
  { logger, metrics }: ElasticsearchClientDeps,
): ElasticsearchClient {
  const client = new Client({
    nodes: [...settings.urls],
    Connection: FetchConnection,
    maxRetries: 0,
    requestTimeout: TIMEOUT_MS,
    ...(settings.auth === null ? {} : { auth: { ...settings.auth } }),
    tls: {
      rejectUnauthorized: settings.verifySsl,
      ...(settings.ca && { ca: settings.ca.pem }),
    },
  })
  const url = settings.urls.map(withoutCredentials).join(', ')

  async function call<Answer>(
    send: ElasticsearchCall<Answer>,
    { timeoutMs = TIMEOUT_MS, attempts = ATTEMPTS, expected = [] }: CallOptions = {},
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(client, { requestTimeout: timeoutMs })
      } catch (error) {
        const refusal =
          error instanceof errors.ResponseError ? new ElasticsearchRefusal(error) : null
        if (refusal && expected.includes(refusal.status)) throw refusal
        if (attempt < attempts && isTransient(error)) {
          metrics.storeRetries.inc({ store: 'elasticsearch' })
          await Bun.sleep(backoffMs(attempt, BACKOFF))
          continue
        }
        metrics.storeErrors.inc({ store: 'elasticsearch' })
        const halt = refusal && haltReason(refusal)
        if (halt) throw new StoreHalted(halt, refusal)
        if (isUnavailable(error))
          throw storeUnavailable('elasticsearch', refusal ?? plainError(error))
        logger.error(
          { reason: (refusal ?? plainError(error)).message },
          'elasticsearch refused a request',
        )
        throw refusal ?? error
      }
    }
  }

  return {
    url,
    call,
    countRetry() {
      metrics.storeRetries.inc({ store: 'elasticsearch' })
    },
    health: {
      name: 'elasticsearch',
      async check() {
        await call((api, options) => api.info({}, options), {
          attempts: 1,
          timeoutMs: HEALTH_TIMEOUT_MS,
        })
      },
    },
    async [Symbol.asyncDispose]() {
      await client.close()
    },
  }
}

function withoutCredentials(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/+$/, '')
}

/** A failure of the connection: the client's error holds the request, this one does not. */
function plainError(error: unknown): Error {
  const { name, message } = asError(error)
  const code = codeOf(error)
  return Object.assign(new Error(withoutQuoted(message)), { name, ...(code && { code }) })
}

/** The client wraps what the connection failed with. */
function codeOf(error: unknown): string | null {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') return each.code
  }
  return null
}

function refusalOf(body: unknown): { readonly type?: string; readonly reason?: string } {
  const { error } = (body ?? {}) as { error?: { type?: string; reason?: string } | string }
  return typeof error === 'object' ? error : {}
}

/** Whether the next attempt may succeed. */
function isTransient(error: unknown): boolean {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0
    return status === 429 || status === 408 || status >= 500
  }
  // A request that timed out has used its time, and so has its caller.
  return error instanceof errors.ConnectionError || error instanceof errors.NoLivingConnectionsError
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0
    return OUTSIDE_OUR_POWER.has(status) || status >= 500
  }
  return error instanceof errors.ElasticsearchClientError
}
