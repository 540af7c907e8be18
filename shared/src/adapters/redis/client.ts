import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { type BackoffOptions, backoffMs } from '../../async/retry'
import type { PemFile } from '../../config/pem-file'
import { stripValues } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'
import { explainRedisRefusal, redisTlsOptions } from './connection-options'

/** One connection to Redis, shared by the adapters. Pipelines by itself what is called at once. */
export interface RedisClient extends AsyncDisposable {
  /**
   * Runs commands and turns every failure into `store_unavailable`. While Redis is away it fails at
   * once: only calls in flight when Redis goes silent wait, for `commandTimeoutMs` at most. Nothing is
   * tried again here: readers have SQL, the log repeats for workers. `commands` is told which run of
   * the server it talks to, with the term it is used in: another one after each restart, promotion and
   * change of servers. `key` is one that the commands use, and leads to its server in a cluster.
   */
  run<Result>(
    commands: (redis: Redis, run: string) => Promise<Result>,
    key?: string,
  ): Promise<Result>
  /** Runs commands on every server. Errors: `store_unavailable` where one of them fails. */
  everywhere(commands: (redis: Redis) => Promise<unknown>): Promise<void>
  /** Tells all that hear the listener's channel, on every server. */
  publish(message: string): Promise<void>
  /** Keys by those that one script may use at once: in a cluster, those of one slot. */
  together(keys: readonly string[]): readonly (readonly string[])[]
  /** Lets commands call a script by its name. It runs by its hash, and is sent whole where the server does not know it. */
  define(name: string, script: { readonly lua: string; readonly numberOfKeys?: number }): void
  /** The run of the server that the connection was found to talk to; null while there is none. */
  currentRun(): string | null
  /**
   * Asks the server again which run it is: a promotion does not close connections. Drops a connection to
   * what has become a replica.
   */
  checkRun(): Promise<void>
  /** Sets the term that `run` is told with the run of the server; see `FenceState`. */
  useTerm(term: number): void
  /**
   * Waits for the first attempt to connect. Throws an `OperatorError` where Redis refused it: its certificate is not
   * accepted, or it does not accept the user and password. One that is only unavailable may come later.
   */
  checkAccepted(): Promise<void>
  readonly health: HealthCheck
}

export interface RedisClientDeps {
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'storeErrors'>
  readonly listener?: RedisListener
}

/**
 * Hears a channel on the very connection that commands use. The server writes messages and replies into
 * one stream, in the order in which it ran the commands: with the reply to a command, every message
 * published before that command ran has been heard.
 */
export interface RedisListener {
  /** Null: nothing is to be heard. */
  readonly channel: string | null
  heard(message: string): void
  /** From here on every message is heard, until `lost`. Called before the first command may run. */
  connected(): void
  lost(): void
}

export interface RedisClientOptions {
  readonly url: string
  /** What the certificate of a `rediss://` server is checked against; null: the system's authorities. */
  readonly ca?: PemFile | null
  readonly commandTimeoutMs?: number
  readonly connectTimeoutMs?: number
}

const RECONNECT: BackoffOptions = { baseMs: 100, capMs: 1_000 }
/** Hexadecimal digits of a run that each timeline holds: enough to tell the runs of one server apart. */
const RUN_LENGTH = 12
const REPLY_ERROR_LOG_INTERVAL_MS = 1_000

/**
 * Connects in the background and goes on trying for ever, so that a service starts without Redis. The
 * first calls wait for the first attempt. A reply that does not come in time closes the connection:
 * the next one is used only after a handshake that a hung server cannot answer.
 */
export function createRedisClient(
  { logger, metrics, listener }: RedisClientDeps,
  options: RedisClientOptions,
): RedisClient {
  const redis = new Redis(options.url, {
    ...redisTlsOptions({ url: options.url, ca: options.ca ?? null }),
    commandTimeout: options.commandTimeoutMs ?? 1_000,
    connectTimeout: options.connectTimeoutMs ?? 1_000,
    disconnectTimeout: 50,
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    // Fails what is in flight when the connection closes: it may have been done, and is safe to repeat.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: 250,
    // Only after a new handshake, so that the listener knows from where on it hears.
    autoResubscribe: false,
    retryStrategy: (attempt) => Math.ceil(backoffMs(attempt, RECONNECT)),
    // A former primary: another connection may reach the present one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })

  let isAway = false
  let refusal: string | null = null
  let isClosed = false
  let lastReplyErrorAt = Number.NEGATIVE_INFINITY
  let markTried: () => void = () => {}
  let firstTry: Promise<void> | null = new Promise((resolve) => {
    markTried = () => {
      firstTry = null
      resolve()
    }
  })
  // Known only while the connection may be used. Nothing is queued across connections, so what is
  // sent under a run meets that run.
  let serverRun: string | null = null
  let termSuffix = ''
  if (listener) redis.on('message', (_channel, message) => listener.heard(message))
  const wentAway = (cause: unknown) => {
    if (serverRun !== null) listener?.lost()
    serverRun = null
    const refused = explainRedisRefusal(options.url, cause)
    if (refused !== null && refused !== refusal) {
      refusal = refused
      logger.error({ err: cause }, refused)
    }
    if (isAway) return
    isAway = true
    logger.warn({ err: cause }, 'redis is unavailable; reads use SQL until it is back')
  }
  redis.on('ready', async () => {
    try {
      if (listener?.channel) await redis.subscribe(listener.channel)
      const run = await runOf(redis)
      if (isClosed) return
      serverRun = run
      listener?.connected()
    } catch (error) {
      wentAway(stripValues(error))
      redis.disconnect(true)
      return
    }
    if (isAway) logger.info('redis is back')
    isAway = false
    refusal = null
    markTried()
  })
  redis.on('error', (error) => wentAway(stripValues(error)))
  redis.on('close', () => {
    wentAway(new Error('the connection to redis closed'))
    markTried()
  })

  function failed(error: unknown) {
    const cause = stripValues(error)
    metrics.storeErrors.inc({ store: 'redis' })
    if (isTimeout(cause) && serverRun !== null) {
      wentAway(cause)
      redis.disconnect(true)
    } else if (isReplyError(cause) && performance.now() > lastReplyErrorAt) {
      lastReplyErrorAt = performance.now() + REPLY_ERROR_LOG_INTERVAL_MS
      logger.error({ err: cause }, 'redis refused a command')
    }
    return storeUnavailable('redis', cause)
  }

  async function run<Result>(
    commands: (redis: Redis, run: string) => Promise<Result>,
  ): Promise<Result> {
    if (firstTry) await firstTry
    if (serverRun === null || redis.status !== 'ready') {
      throw failed(new Error(`the connection is ${redis.status}`))
    }
    try {
      return await commands(redis, serverRun + termSuffix)
    } catch (error) {
      throw failed(error)
    }
  }

  return {
    run,
    async everywhere(commands) {
      await run(commands)
    },
    async publish(message) {
      const channel = listener?.channel
      if (channel) await run((connected) => connected.publish(channel, message))
    },
    together: (keys) => [keys],
    define: (name, script) => redis.defineCommand(name, script),
    currentRun: () => serverRun,
    useTerm(term) {
      termSuffix = term.toString(16)
    },
    async checkRun() {
      const known = serverRun
      const run = await runOf(redis).catch((error) => {
        if (error instanceof ReplicaError) {
          wentAway(error)
          redis.disconnect(true)
        }
        throw failed(error)
      })
      // A connection that was lost meanwhile has its own handshake.
      if (serverRun === known && known !== null) serverRun = run
    },
    async checkAccepted() {
      if (firstTry) await firstTry
      if (refusal !== null) throw new OperatorError(refusal)
    },
    health: {
      name: 'redis',
      async check() {
        await run((connected) => connected.ping())
      },
    },
    async [Symbol.asyncDispose]() {
      if (serverRun !== null) listener?.lost()
      isAway = true
      isClosed = true
      serverRun = null
      if (redis.status === 'ready') await redis.quit().catch(() => {})
      redis.disconnect()
      markTried()
    },
  }
}

/** The next connection may reach the primary. */
class ReplicaError extends Error {
  constructor() {
    super('this redis is a replica: what is announced and pushed elsewhere comes here late')
  }
}

/**
 * A restart changes `run_id`, a promotion only the replication id: a former primary that comes back
 * without having followed its successor has old data under the same `run_id`.
 */
async function runOf(redis: Redis): Promise<string> {
  const info = await Promise.all([redis.info('server'), redis.info('replication')])
  if (/^role:slave/m.test(info[1])) throw new ReplicaError()
  const ids = [/^run_id:(\w+)/m.exec(info[0])?.[1], /^master_replid:(\w+)/m.exec(info[1])?.[1]]
  if (ids.includes(undefined)) throw new Error('INFO of redis names no run_id or master_replid')
  return runOfParts(ids)
}

/** One name for what consists of several parts: another one when any of them changes. */
export function runOfParts(parts: readonly unknown[]): string {
  return createHash('sha1').update(parts.join()).digest('hex').slice(0, RUN_LENGTH)
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.message === 'Command timed out'
}

function isReplyError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'ReplyError'
}
