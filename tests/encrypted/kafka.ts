import { join } from 'node:path'
import type { Certificates } from '@sns/shared/testing/certificates'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import { startKafkaServer } from '@sns/shared/testing/kafka-server'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs'
import {
  CDC_INDEXER,
  type EncryptedServer,
  FANOUT_WORKER,
  MIGRATE,
  WRONG_AUTHORITY,
  WRONG_PASSWORD,
} from './encrypted-server'

const USER = 'sns'
const PASSWORD = 'p@ss=word'

/** One broker: each of its ports is encrypted in another way, or lets others sign in. */
export async function startEncryptedKafka(
  certificates: Certificates,
  prefix: string,
): Promise<EncryptedServer & AsyncDisposable> {
  const { ca, otherCa, cert, key, expiredCert, elsewhereCert, folder } = certificates
  const server = await startKafkaServer({
    key,
    accounts: [
      { user: USER, password: PASSWORD, isTrusted: false },
      { user: 'stranger', password: PASSWORD, isTrusted: false },
    ],
    listeners: {
      CLEAR: { cert: null, mechanism: null },
      CLEARSIGNED: { cert: null, mechanism: 'PLAIN' },
      ENCRYPTED: { cert, mechanism: null },
      PLAIN: { cert, mechanism: 'PLAIN' },
      SCRAM256: { cert, mechanism: 'SCRAM-SHA-256' },
      SCRAM512: { cert, mechanism: 'SCRAM-SHA-512' },
      EXPIRED: { cert: expiredCert, mechanism: null },
      ELSEWHERE: { cert: elsewhereCert, mechanism: null },
    },
  })
  await allow(server.ports.CLEAR, prefix)
  const passwordFile = join(folder, 'kafka-password')
  await Bun.write(passwordFile, `${PASSWORD}\n`)

  type Port = keyof typeof server.ports
  const to = (port: Port, host = '127.0.0.1') => ({
    KAFKA_BROKERS: `${host}:${server.ports[port]}`,
  })
  const inClear = { KAFKA_SSL: 'false', KAFKA_CA: '' }
  const signIn = (mechanism: string, password = PASSWORD, user = USER) => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SASL_PASSWORD_FILE: '',
  })
  const nobody = signIn('', '', '')
  const programs = [MIGRATE, FANOUT_WORKER, CDC_INDEXER]
  const notAccepted = /^KAFKA_CA: the certificate of Kafka at [\w.]+:\d+ is not accepted/
  const refused = /^KAFKA_SASL_PASSWORD: Kafka at 127\.0\.0\.1:\d+ refuses the user or password$/
  const demandsTls = /^KAFKA_SSL: Kafka at 127\.0\.0\.1:\d+ demands an encrypted connection/
  return {
    name: 'Kafka',
    right: {
      ...to('SCRAM512'),
      KAFKA_SSL: 'true',
      KAFKA_CA: ca,
      ...signIn('scram-sha-512', ''),
      KAFKA_SASL_PASSWORD_FILE: passwordFile,
    },
    alsoRight: {
      'encrypted, nobody signs in': { ...to('ENCRYPTED'), ...nobody },
      'the name of the host': { ...to('ENCRYPTED', 'localhost'), ...nobody },
      plain: { ...to('PLAIN'), ...signIn('plain') },
      'scram-sha-256': { ...to('SCRAM256'), ...signIn('SCRAM-SHA-256') },
      'plain in the clear': { ...to('CLEARSIGNED'), ...inClear, ...signIn('plain') },
    },
    refusals: [
      {
        with: WRONG_AUTHORITY,
        settings: { KAFKA_CA: otherCa },
        programs,
        says: notAccepted,
      },
      {
        with: WRONG_PASSWORD,
        settings: signIn('scram-sha-512', 'wrong'),
        programs,
        says: refused,
      },
      {
        with: 'the wrong password in plain',
        settings: { ...to('PLAIN'), ...signIn('plain', 'wrong') },
        programs: [FANOUT_WORKER],
        says: refused,
      },
      {
        with: 'the wrong user',
        settings: signIn('scram-sha-512', PASSWORD, 'nobody'),
        programs: [CDC_INDEXER],
        says: refused,
      },
      {
        with: 'no authority',
        settings: { KAFKA_CA: '' },
        programs: [FANOUT_WORKER],
        says: notAccepted,
      },
      {
        with: 'a certificate that has expired',
        settings: { ...to('EXPIRED'), ...nobody },
        programs: [MIGRATE, CDC_INDEXER],
        says: /^KAFKA_CA: the certificate .* is not accepted \(certificate has expired\)$/,
      },
      {
        with: 'a certificate of another host by address',
        settings: { ...to('ELSEWHERE'), ...nobody },
        programs: [FANOUT_WORKER],
        says: notAccepted,
      },
      {
        with: 'a certificate of another host by name',
        settings: { ...to('ELSEWHERE', 'localhost'), ...nobody },
        programs: [FANOUT_WORKER],
        says: notAccepted,
      },
      {
        with: 'no encryption where it is demanded',
        settings: { ...to('ENCRYPTED'), ...inClear, ...nobody },
        programs: [MIGRATE, FANOUT_WORKER],
        says: demandsTls,
      },
      {
        with: 'no encryption and a password where it is demanded',
        settings: { ...to('PLAIN'), ...inClear, ...signIn('plain') },
        programs: [CDC_INDEXER],
        says: demandsTls,
      },
      {
        with: 'encryption where there is none',
        settings: { ...to('CLEAR'), ...nobody },
        programs: [MIGRATE],
        says: /^KAFKA_SSL: Kafka at 127\.0\.0\.1:\d+ does not answer in TLS/,
      },
      {
        with: 'nobody who signs in where it is demanded',
        settings: { ...to('SCRAM256'), ...nobody },
        programs: [MIGRATE, FANOUT_WORKER],
        says: /^KAFKA_SASL_MECHANISM: Kafka at .* demands a user and password$/,
      },
      {
        with: 'a user where nobody signs in',
        settings: { ...to('ENCRYPTED'), ...signIn('plain') },
        programs: [FANOUT_WORKER],
        says: /^KAFKA_SASL_MECHANISM: nobody signs in to Kafka at/,
      },
      {
        with: 'a mechanism that is not offered',
        settings: signIn('scram-sha-256'),
        programs: [CDC_INDEXER],
        says: /^KAFKA_SASL_MECHANISM: Kafka at .* does not offer this mechanism$/,
      },
      {
        with: 'a user without rights',
        settings: signIn('scram-sha-512', PASSWORD, 'stranger'),
        programs: [MIGRATE],
        says: /^KAFKA_SASL_USERNAME: the user lacks a right in Kafka \(\w+_AUTHORIZATION_FAILED\)$/,
      },
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Gives the user the rights that docs/03-operations.md asks for, and no others. */
async function allow(port: number, prefix: string): Promise<void> {
  const { kafka, drop } = testKafkaClient([`127.0.0.1:${port}`]).session()
  const admin = kafka.admin()
  const { TOPIC, GROUP, TRANSACTIONAL_ID, CLUSTER } = AclResourceTypes
  const { CREATE, DELETE, DESCRIBE, DESCRIBE_CONFIGS, READ, WRITE, IDEMPOTENT_WRITE } =
    AclOperationTypes
  const rights: readonly [AclResourceTypes, readonly AclOperationTypes[]][] = [
    [TOPIC, [CREATE, DESCRIBE, DESCRIBE_CONFIGS, READ, WRITE]],
    [GROUP, [READ, DESCRIBE, DELETE]],
    [TRANSACTIONAL_ID, [DESCRIBE, WRITE]],
    [CLUSTER, [DESCRIBE, IDEMPOTENT_WRITE]],
  ]
  try {
    await admin.connect()
    await admin.createAcls({
      acl: rights.flatMap(([resourceType, operations]) =>
        operations.map((operation) => ({
          resourceType,
          resourceName: resourceType === CLUSTER ? 'kafka-cluster' : prefix,
          resourcePatternType:
            resourceType === CLUSTER ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
          principal: `User:${USER}`,
          host: '*',
          operation,
          permissionType: AclPermissionTypes.ALLOW,
        })),
      ),
    })
  } finally {
    drop()
  }
}
