import type { Socket } from 'node:net'
import { type ISocketFactory, Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { sleep } from '../../async/sleep'
import type { Settings } from '../../config/program-settings'
import { OperatorError } from '../../errors/operator-error'
import { SnsError, storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { HealthCheck } from '../../ports/health'
import { createDriverLog, quietRequestQueueTimer, registerZstdCodec } from './driver'
import { explainKafkaRefusal } from './errors'
import { installProduceRequest } from './produce-request'
import { type KafkaSocketOptions, openKafkaSocket } from './socket'

/** Where the brokers are, how connections are encrypted and who signs in. */
export type KafkaServers = Pick<Settings['kafka'], 'brokers' | 'tls' | 'sasl'>

export interface KafkaClientOptions {
  /** How the brokers' logs call this program. */
  readonly clientId: string
  readonly logger: Logger
  readonly metrics?: Pick<Metrics, 'storeErrors' | 'storeRetries'> | null
  /** How long one request may take; above the time that brokers hold a produce for its replicas. */
  readonly requestTimeoutMs?: number
  /** Where to connect instead of to the advertised address; for tests. */
  readonly route?: KafkaSocketOptions['route']
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
  /** `onEarlyEnd` is told where nobody signs in. */
  session(
    options?: { readonly retries?: number } & Pick<KafkaSocketOptions, 'onEarlyEnd'>,
  ): KafkaSession
}

const CONNECTION_TIMEOUT_MS = 3_000

/** Retries within kafkajs: enough for a new leader, too few to hide an outage from us. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, factor: 0.5, multiplier: 2, retries: 5 }

export function createKafkaClient(
  { brokers, tls, sasl }: KafkaServers,
  { clientId, logger, metrics = null, requestTimeoutMs = 10_000, route }: KafkaClientOptions,
): KafkaClient {
  quietRequestQueueTimer()
  registerZstdCodec()
  installProduceRequest()
  const driverLog = createDriverLog(logger)
  return {
    brokers,
    logger,
    metrics,
    session({ retries = RETRY.retries, onEarlyEnd } = {}) {
      const sockets = new Set<Socket>()
      let dropped = false
      const socketFactory: ISocketFactory = (asked) => {
        if (dropped) throw new Error('the connection was given up')
        const socket = openKafkaSocket(asked, {
          tls,
          timeoutMs: CONNECTION_TIMEOUT_MS,
          ...(onEarlyEnd && sasl === null && { onEarlyEnd }),
          ...(route && { route }),
        })
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        return socket
      }
      const kafka = new Kafka({
        brokers: [...brokers],
        clientId,
        // Later than the socket's own end, which says why.
        connectionTimeout: CONNECTION_TIMEOUT_MS + 1_000,
        requestTimeout: requestTimeoutMs,
        retry: { ...RETRY, retries },
        socketFactory,
        // kafkajs writes into it; its type is one of each mechanism, where ours is of any.
        ...(sasl && { sasl: { ...sasl } as SASLOptions }),
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

/** What callers of the port meet: ours stay as they are, everything else means that Kafka is away. */
function translateKafkaError(error: unknown): SnsError | OperatorError {
  if (error instanceof SnsError || error instanceof OperatorError) return error
  return storeUnavailable('kafka', error)
}

const ACCEPT_MS = 8_000

/**
 * Asks each broker once at most. Throws an `OperatorError` where one is there and does not accept the connection: its
 * certificate, the encryption or the sign-in is not as the settings say. Brokers that are only away may come later.
 */
export async function checkKafkaAccepted(client: KafkaClient): Promise<void> {
  let endedEarly = false
  const { kafka, drop } = client.session({
    retries: client.brokers.length - 1,
    onEarlyEnd() {
      endedEarly = true
    },
  })
  const admin = kafka.admin()
  const given = new AbortController()
  try {
    await Promise.race([
      admin.connect().then(() => admin.describeCluster()),
      rejectAfter(ACCEPT_MS, given.signal),
    ])
  } catch (error) {
    const refusal =
      explainKafkaRefusal(client, error) ??
      (endedEarly
        ? `KAFKA_SASL_MECHANISM: Kafka at ${client.brokers} ends the connection at the first request, as one does that demands a user and password`
        : null)
    if (refusal !== null) throw new OperatorError(refusal, 1, { cause: error })
  } finally {
    given.abort()
    drop()
  }
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
