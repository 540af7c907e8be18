import { connect, type Socket } from 'node:net'
import { type ISocketFactory, Kafka, KafkaJSProtocolError, logLevel } from 'kafkajs'
import { sleep } from '../../async/sleep'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { SnsError, storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'
import { createDriverLog, quietRequestQueueTimer, registerZstdCodec } from './driver'
import { installProduceRequest } from './produce-request'

export interface KafkaClientOptions {
  /** How the brokers' logs call this program. */
  readonly clientId: string
  readonly logger: Logger
  readonly metrics?: Pick<Metrics, 'storeErrors' | 'storeRetries'> | null
  /** How long one request may take; above the time that brokers hold a produce for its replicas. */
  readonly requestTimeoutMs?: number
  /** Where to connect instead of to the advertised address; for tests. */
  readonly route?: (host: string, port: number) => { readonly host: string; readonly port: number }
}

/** The connections of one producer, consumer or admin. */
interface KafkaSession {
  readonly kafka: Kafka
  /**
   * Drops the connections at once and makes no new ones: kafkajs never closes one whose other end is
   * silent, and goes on trying what nobody waits for any more.
   */
  drop(): void
}

/** Where Kafka is and how to talk to it; connects nothing by itself. */
export interface KafkaClient {
  readonly brokers: readonly string[]
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'storeErrors' | 'storeRetries'> | null
  session(): KafkaSession
}

const CONNECTION_TIMEOUT_MS = 3_000
const KEEP_ALIVE_MS = 30_000

/** Retries within kafkajs: enough for a new leader, too few to hide an outage from us. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, factor: 0.5, multiplier: 2, retries: 5 }

export function createKafkaClient(
  brokers: readonly string[],
  options: KafkaClientOptions,
): KafkaClient {
  const { clientId, logger, metrics = null, requestTimeoutMs = 10_000 } = options
  quietRequestQueueTimer()
  registerZstdCodec()
  installProduceRequest()
  const driverLog = createDriverLog(logger)
  return {
    brokers,
    logger,
    metrics,
    session() {
      const sockets = new Set<Socket>()
      let dropped = false
      const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
        if (dropped) throw new Error('the connection was given up')
        const socket = connect(options.route?.(host, port) ?? { host, port }, onConnect)
        socket.setKeepAlive(true, KEEP_ALIVE_MS)
        socket.setNoDelay(true)
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        return socket
      }
      const kafka = new Kafka({
        brokers: [...brokers],
        clientId,
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: requestTimeoutMs,
        retry: RETRY,
        socketFactory,
        logLevel: logLevel.INFO,
        logCreator: () => (entry) => {
          // A connection that we dropped is no news.
          if (!dropped) driverLog(entry)
        },
      })
      return {
        kafka,
        drop() {
          dropped = true
          for (const socket of sockets) socket.destroy(new Error('the connection was given up'))
        },
      }
    },
  }
}

/** What kafkajs' producer and admin have in common. */
interface Connectable {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

/** A producer or admin that connects on first use, and anew after any error. */
interface KafkaConnection<T extends Connectable> extends AsyncDisposable {
  /** Fails with `store_unavailable` when the answer takes longer than the timeout. */
  run<R>(ask: (connected: T) => Promise<R>, timeoutMs?: number): Promise<R>
}

const ANSWER_MS = 15_000
const DISCONNECT_MS = 3_000

export function createKafkaConnection<T extends Connectable>(
  client: KafkaClient,
  create: (kafka: KafkaSession['kafka']) => T,
): KafkaConnection<T> {
  let current: { readonly session: KafkaSession; readonly ready: Promise<T> } | null = null

  function open() {
    const session = client.session()
    const connectable = create(session.kafka)
    const ready = connectable.connect().then(() => connectable)
    ready.catch(() => {})
    return { session, ready }
  }

  return {
    async run(ask, timeoutMs = ANSWER_MS) {
      current ??= open()
      const mine = current
      const answered = new AbortController()
      try {
        return await Promise.race([mine.ready.then(ask), rejectAfter(timeoutMs, answered.signal)])
      } catch (error) {
        if (current === mine) current = null
        mine.session.drop()
        throw translateKafkaError(error)
      } finally {
        answered.abort()
      }
    },
    async [Symbol.asyncDispose]() {
      const mine = current
      current = null
      if (!mine) return
      const goodbye = mine.ready.then((connectable) => connectable.disconnect()).catch(() => {})
      await Promise.race([goodbye, sleep(DISCONNECT_MS)])
      mine.session.drop()
    },
  }
}

function rejectAfter(ms: number, answered: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    answered.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}

/** The error a broker answered with, however deeply kafkajs wrapped it: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function brokerErrorType(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  if (error instanceof KafkaJSProtocolError) return error.type
  if ('type' in error && typeof error.type === 'string') return error.type
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors : [error.cause]
  for (const each of inner) {
    const type = brokerErrorType(each)
    if (type) return type
  }
  return null
}

/** What callers of the port meet: ours stay as they are, everything else means that Kafka is away. */
function translateKafkaError(error: unknown): SnsError | OperatorError {
  if (error instanceof SnsError || error instanceof OperatorError) return error
  return storeUnavailable('kafka', error)
}

/** One line for the log that also says what to do, where that is known. */
export function explainKafkaError(error: unknown): string {
  const type = brokerErrorType(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'a topic is missing: run `migrate`'
  return asError(error).message
}

const TIMEOUT_MS = 3_000

/** Asks the cluster who its brokers are. */
export function createKafkaHealthCheck(client: KafkaClient): HealthCheck & AsyncDisposable {
  const connection = createKafkaConnection(client, (kafka) => kafka.admin())
  return {
    name: 'kafka',
    async check() {
      await connection.run((admin) => admin.describeCluster(), TIMEOUT_MS)
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
