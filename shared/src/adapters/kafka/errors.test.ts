import { expect, test } from 'bun:test'
import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded } from 'kafkajs'
import { storeUnavailable } from '../../errors/sns-error'
import { describeKafkaError, explainKafkaRefusal } from './errors'
import { SOCKET_CODES } from './socket'

const where = { brokers: ['a:1', 'b:2'] }

/** As kafkajs and our port hand it on. */
function wrapped(error: Error): Error {
  const exceeded = new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 100 })
  return storeUnavailable('kafka', new Error('given up', { cause: exceeded }))
}

/** Its class takes no message, as its types have it. */
function signInError(message: string): Error {
  return Object.assign(new Error(message), { name: 'KafkaJSSASLAuthenticationError' })
}

function connectionError(message: string, code?: string): Error {
  return new KafkaJSConnectionError(`Connection error: ${message}`, {
    broker: 'b:2',
    ...(code && { code }),
  })
}

test.each([
  [
    connectionError('certificate has expired', 'CERT_HAS_EXPIRED'),
    'KAFKA_CA: the certificate of Kafka at b:2 is not accepted (certificate has expired)',
  ],
  [
    connectionError('x', SOCKET_CODES.demandsTls),
    'KAFKA_SSL: Kafka at b:2 demands an encrypted connection: set KAFKA_SSL=true',
  ],
  [
    signInError('SASL PLAIN authentication failed: Invalid username'),
    'KAFKA_SASL_PASSWORD: Kafka at a:1,b:2 refuses the user or password',
  ],
  [
    Object.assign(new Error('x'), { type: 'UNSUPPORTED_SASL_MECHANISM' }),
    'KAFKA_SASL_MECHANISM: Kafka at a:1,b:2 does not offer this mechanism',
  ],
])('%s is what the operator must correct', (error, words) => {
  expect(explainKafkaRefusal(where, wrapped(error))).toBe(words)
  expect(describeKafkaError(where, wrapped(error))).toBe(words)
})

test.each([
  connectionError('connect ECONNREFUSED', 'ECONNREFUSED'),
  connectionError('no TLS handshake within 3000 ms', SOCKET_CODES.noHandshake),
  signInError('SASL PLAIN authentication failed: Closed connection'),
  signInError('SASL SCRAM SHA256 authentication failed: Request timed out'),
])('with %s Kafka may as well be away', (error) => {
  expect(explainKafkaRefusal(where, wrapped(error))).toBeNull()
})

test('a port that does not speak TLS, and a missing right, are named all the same', () => {
  const early = connectionError(
    'Client network socket disconnected before secure TLS connection was established',
    'ECONNRESET',
  )
  expect(describeKafkaError(where, wrapped(early))).toStartWith('KAFKA_SSL: Kafka at')
  const right = Object.assign(new Error('x'), { type: 'GROUP_AUTHORIZATION_FAILED' })
  expect(describeKafkaError(where, wrapped(right))).toBe(
    'KAFKA_SASL_USERNAME: the user lacks a right in Kafka (GROUP_AUTHORIZATION_FAILED)',
  )
})
