import { connect, type Socket } from 'node:net'
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import { createDriverLog } from './driver-log'
import { quietRequestQueueTimer } from './request-queue-timer'
import { registerZstdCodec } from './zstd-codec'

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
export interface KafkaSession {
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
