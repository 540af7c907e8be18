import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createKafkaClient, createKafkaHealthCheck } from '../adapters/kafka/client'
import { environment } from '../config/environment'
import { createLogger } from '../observability/logger'
import type { Certificates } from './certificates'
import { eventually } from './eventually'
import { freePort } from './redis-server'
import { temporaryFolder } from './temporary-folder'

const cache = environment.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const packages = join(environment.STACK_HOME ?? join(cache, 'sns-stack'), 'packages/kafka')

/** Whether this machine has a Kafka to start: tests that need one say so and skip. */
export const hasKafkaServer = existsSync(join(packages, '.stamp')) && Bun.which('java') !== null

/** One way to reach the broker, on a port of its own. */
export interface KafkaListener {
  /** The certificate that it shows, signed for the key of the certificates; null: nothing is encrypted. */
  readonly cert: string | null
  /** How clients sign in; null: everybody may do everything. */
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | null
}

export interface KafkaServerOptions<Name extends string> {
  readonly listeners: Readonly<Record<Name, KafkaListener>>
  readonly key: Certificates['key']
  readonly accounts: readonly KafkaAccount[]
}

export interface KafkaAccount {
  readonly user: string
  readonly password: string
  /** Whether it may do everything, or nothing. */
  readonly isTrusted: boolean
}

/** A broker of a test's own, alone in its cluster. */
export interface KafkaServer<Name extends string> extends AsyncDisposable {
  readonly ports: Readonly<Record<Name, number>>
}

/** Starts one broker with all the listeners: it takes seconds. */
export async function startKafkaServer<Name extends string>({
  listeners,
  key,
  accounts,
}: KafkaServerOptions<Name>): Promise<KafkaServer<Name>> {
  const opened = new AsyncDisposableStack()
  await using onFailure = new AsyncDisposableStack()
  onFailure.use(opened)
  const { path } = opened.use(await temporaryFolder())
  const names = Object.keys(listeners) as Name[]
  const ports = Object.fromEntries(names.map((name) => [name, freePort()])) as Record<Name, number>
  const [inner, controller] = [freePort(), freePort()]
  const all = [
    { name: 'INNER', port: inner, cert: null, mechanism: null },
    ...names.map((name) => ({ name, port: ports[name], ...listeners[name] })),
  ]
  const advertised = all.map(({ name, port }) => `${name}://127.0.0.1:${port}`)
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=${[...advertised, `CONTROLLER://127.0.0.1:${controller}`]}`,
    `advertised.listeners=${advertised}`,
    `listener.security.protocol.map=${['CONTROLLER:PLAINTEXT', ...all.map((each) => `${each.name}:${protocolOf(each)}`)]}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=INNER',
    `log.dirs=${join(path, 'data')}`,
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=4',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    `super.users=${['ANONYMOUS', ...accounts.filter(({ isTrusted }) => isTrusted).map(({ user }) => user)].map((user) => `User:${user}`).join(';')}`,
    'log.cleaner.dedupe.buffer.size=16777216',
  ]
  for (const { name, cert, mechanism } of all) {
    const prefix = `listener.name.${name.toLowerCase()}`
    if (cert !== null) {
      const store = join(path, `${name}.pem`)
      await Bun.write(store, (await Bun.file(key).text()) + (await Bun.file(cert).text()))
      lines.push(`${prefix}.ssl.keystore.type=PEM`, `${prefix}.ssl.keystore.location=${store}`)
    }
    if (mechanism !== null) {
      lines.push(
        `${prefix}.sasl.enabled.mechanisms=${mechanism}`,
        `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config=${loginModule(mechanism, accounts)}`,
      )
    }
  }
  const config = join(path, 'server.properties')
  await Bun.write(config, lines.map((line) => `${line}\n`).join(''))
  const log = join(path, 'log')
  const java = (...args: string[]) =>
    Bun.spawn(
      ['java', '-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', join(packages, '*'), ...args],
      {
        cwd: path,
        stdout: Bun.file(log),
        stderr: Bun.file(join(path, 'errors')),
      },
    )
  const format = java(
    ...['kafka.tools.StorageTool', 'format', '-c', config, '-t', 'MkU3OEVBNTcwNTJENDM2Qg'],
    ...accounts.flatMap(({ user, password }) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${user},password=${password}]`,
      ]),
    ),
  )
  const said = async () =>
    `${await Bun.file(log).text()}${await Bun.file(join(path, 'errors')).text()}`
  if ((await format.exited) !== 0) throw new Error(`Kafka cannot format: ${await said()}`)
  const broker = java('kafka.Kafka', config)
  opened.defer(async () => {
    broker.kill('SIGKILL')
    await broker.exited
  })
  await using health = createKafkaHealthCheck(
    createKafkaClient(
      { brokers: [`127.0.0.1:${inner}`], tls: null, sasl: null },
      { clientId: 'test', logger: createLogger('test', 'silent') },
    ),
  )
  const isReady = () =>
    health.check().then(
      () => true,
      () => false,
    )
  await eventually(async () => broker.exitCode !== null || (await isReady()), {
    timeoutMs: 120_000,
    what: 'the broker is ready',
  })
  if (broker.exitCode !== null) throw new Error(`Kafka ended: ${await said()}`)
  onFailure.move()
  return { ports, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function protocolOf({ cert, mechanism }: KafkaListener): string {
  const transport = cert === null ? 'PLAINTEXT' : 'SSL'
  return mechanism === null ? transport : `SASL_${transport}`
}

function loginModule(
  mechanism: NonNullable<KafkaListener['mechanism']>,
  accounts: readonly KafkaAccount[],
): string {
  const security = 'org.apache.kafka.common.security'
  if (mechanism !== 'PLAIN') return `${security}.scram.ScramLoginModule required;`
  const users = accounts.map(({ user, password }) => `user_${user}="${password}"`)
  return `${security}.plain.PlainLoginModule required ${users.join(' ')};`
}
