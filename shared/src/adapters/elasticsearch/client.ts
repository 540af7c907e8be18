import { Client, errors, HttpConnection } from '@elastic/elasticsearch'
import { backoffMs } from '../../async/retry'
import type { Settings } from '../../config/settings'
import { asError } from '../../errors/as-error'
import { withoutQuoted } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'

export interface ElasticsearchRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: Readonly<Record<string, unknown>>
  /** Ready lines of JSON, in place of `body`. */
  readonly lines?: string
  readonly timeoutMs?: number
  /** How often it is tried at most; only what may be done twice is tried twice. */
  readonly attempts?: number
  /** Statuses beside 2xx that are answers and not errors. */
  readonly accept?: readonly number[]
}

export interface ElasticsearchResponse {
  readonly status: number
  readonly body: unknown
}

/** One connection pool to Elasticsearch, shared by the adapters. */
export interface ElasticsearchClient extends AsyncDisposable {
  /** Where it is, without a password in it: for messages to the operator. */
  readonly url: string
  /**
   * Errors: `store_unavailable` where Elasticsearch is away, too slow, overloaded, refuses our
   * credentials or misses an index; any other refusal is a mistake of ours and comes as it is, but for
   * the values that the request held.
   */
  request(request: ElasticsearchRequest): Promise<ElasticsearchResponse>
  /** Counts what an adapter tries again by itself. */
  countRetry(): void
  readonly health: HealthCheck
}

export interface ElasticsearchClientDeps {
  readonly logger: Pick<Logger, 'error'>
  readonly metrics: Pick<Metrics, 'storeErrors' | 'storeRetries'>
}

const ATTEMPTS = 3
const BACKOFF = { baseMs: 100, capMs: 1_000 }
const TIMEOUT_MS = 5_000
const HEALTH_TIMEOUT_MS = 2_000
/** 401, 403, 404: the operator can mend them while we go on asking. */
const OUTSIDE_OUR_POWER = new Set([401, 403, 404, 408, 429])

export function createElasticsearchClient(
  settings: Settings['elasticsearch'],
  { logger, metrics }: ElasticsearchClientDeps,
): ElasticsearchClient {
  const client = new Client({
    node: settings.url,
    // The default connection does not work under Bun.
    Connection: HttpConnection,
    maxRetries: 0,
    requestTimeout: TIMEOUT_MS,
    ...(settings.auth === null ? {} : { auth: { ...settings.auth } }),
    tls: { rejectUnauthorized: settings.verifySsl },
  })
  const { origin } = new URL(settings.url)

  async function once(request: ElasticsearchRequest): Promise<ElasticsearchResponse> {
    const { statusCode, body } = await client.transport.request(
      {
        method: request.method,
        path: request.path,
        ...(request.query === undefined ? {} : { querystring: { ...request.query } }),
        ...(request.body === undefined ? {} : { body: { ...request.body } }),
        ...(request.lines === undefined ? {} : { bulkBody: request.lines }),
      },
      {
        meta: true,
        requestTimeout: request.timeoutMs ?? TIMEOUT_MS,
        ignore: [...(request.accept ?? [])],
      },
    )
    return { status: statusCode ?? 0, body }
  }

  async function request(wanted: ElasticsearchRequest): Promise<ElasticsearchResponse> {
    const attempts = wanted.attempts ?? ATTEMPTS
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(wanted)
      } catch (error) {
        if (attempt < attempts && isTransient(error)) {
          metrics.storeRetries.inc({ store: 'elasticsearch' })
          await Bun.sleep(backoffMs(attempt, BACKOFF))
          continue
        }
        metrics.storeErrors.inc({ store: 'elasticsearch' })
        const refusal = withoutRequest(error)
        if (isAway(error)) throw storeUnavailable('elasticsearch', refusal)
        logger.error(
          { reason: refusal.message, path: wanted.path },
          'elasticsearch refused a request',
        )
        throw refusal
      }
    }
  }

  return {
    url: origin,
    request,
    countRetry() {
      metrics.storeRetries.inc({ store: 'elasticsearch' })
    },
    health: {
      name: 'elasticsearch',
      async check() {
        await request({ method: 'GET', path: '/', attempts: 1, timeoutMs: HEALTH_TIMEOUT_MS })
      },
    },
    async [Symbol.asyncDispose]() {
      await client.close()
    },
  }
}

/** The client's errors hold the request and its answer, and messages of the server quote from them. */
function withoutRequest(error: unknown): Error {
  const { name, message } = asError(error)
  const statusCode = error instanceof errors.ResponseError ? error.statusCode : undefined
  return Object.assign(new Error(withoutQuoted(message)), { name, statusCode })
}

/** What may be gone at the next try. */
function isTransient(error: unknown): boolean {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0
    return status === 429 || status === 408 || status >= 500
  }
  // A request that timed out has had its time; whoever waits for it has, too.
  return error instanceof errors.ConnectionError || error instanceof errors.NoLivingConnectionsError
}

function isAway(error: unknown): boolean {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0
    return OUTSIDE_OUR_POWER.has(status) || status >= 500
  }
  return error instanceof errors.ElasticsearchClientError
}
