import type { HealthCheck } from '../../ports/health'
import { createKafkaConnection } from './connection'
import type { KafkaClient } from './kafka-client'

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
