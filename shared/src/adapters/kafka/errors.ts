import { KafkaJSProtocolError } from 'kafkajs'
import { explainCertificateError } from '../../errors/certificate-error'
import { asError } from '../../errors/driver-error'
import { SOCKET_CODES } from './socket'

/** The runtime's words for a port that closes the connection when it is spoken to in TLS. */
const NO_HANDSHAKE = /before secure TLS connection was established/

/** The error a broker answered with, however deeply kafkajs wrapped it: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function brokerErrorType(error: unknown): string | null {
  for (const each of chainOf(error)) {
    if (each instanceof KafkaJSProtocolError) return each.type
    if ('type' in each && typeof each.type === 'string') return each.type
  }
  return null
}

/** An error and all that kafkajs put into it. */
function* chainOf(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return
  yield error
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors : [error.cause]
  for (const each of inner) yield* chainOf(each)
}

/** Where the error happened, or every broker that was given. */
interface Where {
  readonly brokers: readonly string[]
}

/**
 * What the operator must correct, in one line that begins with a setting, where a broker is there and did not accept
 * the connection; null where Kafka may as well be away.
 */
export function explainKafkaRefusal({ brokers }: Where, error: unknown): string | null {
  const chain = [...chainOf(error)]
  const at = `Kafka at ${chain.map(brokerOf).find((broker) => broker !== null) ?? brokers.join(',')}`
  const certificate = explainCertificateError(error)
  if (certificate !== null)
    return `KAFKA_CA: the certificate of ${at} is not accepted (${certificate.replace(/^Connection error: /, '')})`
  if (chain.some(hasCode(SOCKET_CODES.demandsTls))) {
    return `KAFKA_SSL: ${at} demands an encrypted connection: set KAFKA_SSL=true`
  }
  if (chain.some(isRefusedSignIn)) {
    return `KAFKA_SASL_PASSWORD: ${at} refuses the user or password`
  }
  switch (brokerErrorType(error)) {
    case 'UNSUPPORTED_SASL_MECHANISM':
      return `KAFKA_SASL_MECHANISM: ${at} does not offer this mechanism`
    case 'ILLEGAL_SASL_STATE':
      return `KAFKA_SASL_MECHANISM: nobody signs in to ${at}: unset it, and user and password, or name another port`
    default:
      return null
  }
}

/** One line that says what to do, where that is known; null: nothing more than the error says. */
export function explainKafkaError(where: Where, error: unknown): string | null {
  const refusal = explainKafkaRefusal(where, error)
  if (refusal !== null) return refusal
  const chain = [...chainOf(error)]
  if (
    chain.some((each) => hasCode(SOCKET_CODES.noHandshake)(each) || NO_HANDSHAKE.test(each.message))
  ) {
    return `KAFKA_SSL: Kafka at ${where.brokers.join(',')} does not answer in TLS: check that these ports are encrypted`
  }
  const type = brokerErrorType(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'a topic is missing: run `migrate`'
  if (type?.endsWith('AUTHORIZATION_FAILED')) {
    return `KAFKA_SASL_USERNAME: the user lacks a right in Kafka (${type})`
  }
  return null
}

/** One line for the log. */
export function describeKafkaError(where: Where, error: unknown): string {
  return explainKafkaError(where, error) ?? asError(error).message
}

function hasCode(code: string): (error: Error) => boolean {
  return (error) => 'code' in error && error.code === code
}

function brokerOf(error: Error): string | null {
  return 'broker' in error && typeof error.broker === 'string' ? error.broker : null
}

/** kafkajs has one error for what a broker refused and for a connection that was lost meanwhile. */
function isRefusedSignIn({ name, message }: Error): boolean {
  return name === 'KafkaJSSASLAuthenticationError' && !/connect|timed? ?out/i.test(message)
}
