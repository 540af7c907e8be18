import { KafkaJSProtocolError } from 'kafkajs'
import { asError } from '../../errors/as-error'
import { OperatorError } from '../../errors/operator-error'
import { SnsError, storeUnavailable } from '../../errors/sns-error'

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
export function translateKafkaError(error: unknown): SnsError | OperatorError {
  if (error instanceof SnsError || error instanceof OperatorError) return error
  return storeUnavailable('kafka', error)
}

/** One line for the log that also says what to do, where that is known. */
export function explainKafkaError(error: unknown): string {
  const type = brokerErrorType(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'a topic is missing: run `migrate`'
  return asError(error).message
}
