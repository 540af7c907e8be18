import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../config/environment'

/** The folder of Kafka's jars; null where there is no Kafka to start. */
export const kafkaHome = environment.TEST_KAFKA_HOME || null

/** Three brokers of the test's own, each also a controller. */
export interface KafkaCluster extends AsyncDisposable {
  readonly brokers: readonly string[]
  start(broker: number): Promise<void>
  /** SIGTERM: it gives its partitions away first. */
  stop(broker: number): Promise<void>
  /** SIGKILL. */
  kill(broker: number): Promise<void>
}

const NODES = [0, 1, 2] as const
const HEAP = ['-Xms96m', '-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Starts them on free ports. Resolves once they are started, which is before they lead. */
export async function openKafkaCluster(): Promise<KafkaCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'sns-kafka-'))
  const ports = await freePorts(NODES.length * 2)
  const clientPort = (node: number) => ports[node] ?? 0
  const controllerPort = (node: number) => ports[NODES.length + node] ?? 0
  const voters = NODES.map((node) => `${node + 1}@127.0.0.1:${controllerPort(node)}`).join(',')
  const file = (node: number) => join(folder, `${node}.properties`)
  const running = new Map<number, Bun.Subprocess>()
  const java = (name: string, ...args: readonly string[]) =>
    Bun.spawn(['java', ...HEAP, '-cp', `${kafkaHome}/*`, name, ...args], {
      cwd: folder,
      stdout: 'ignore',
      stderr: 'ignore',
    })

  for (const node of NODES) {
    await mkdir(join(folder, `data-${node}`))
    await Bun.write(
      file(node),
      Object.entries({
        'process.roles': 'broker,controller',
        'node.id': node + 1,
        'controller.quorum.voters': voters,
        listeners: `PLAINTEXT://127.0.0.1:${clientPort(node)},CONTROLLER://127.0.0.1:${controllerPort(node)}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${clientPort(node)}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'controller.listener.names': 'CONTROLLER',
        'inter.broker.listener.name': 'PLAINTEXT',
        'log.dirs': join(folder, `data-${node}`),
        'auto.create.topics.enable': false,
        'default.replication.factor': 3,
        'min.insync.replicas': 2,
        'offsets.topic.replication.factor': 3,
        'offsets.topic.num.partitions': 2,
        'transaction.state.log.replication.factor': 3,
        'transaction.state.log.min.isr': 2,
        'transaction.state.log.num.partitions': 2,
        'group.initial.rebalance.delay.ms': 0,
        'log.cleaner.dedupe.buffer.size': 16_777_216,
        'broker.session.timeout.ms': 3_000,
        'broker.heartbeat.interval.ms': 500,
        'replica.lag.time.max.ms': 3_000,
      })
        .map(([name, value]) => `${name}=${value}`)
        .join('\n'),
    )
  }
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  await Promise.all(
    NODES.map(
      (node) => java('kafka.tools.StorageTool', 'format', '-t', id, '-c', file(node)).exited,
    ),
  )

  const cluster: KafkaCluster = {
    brokers: NODES.map((node) => `127.0.0.1:${clientPort(node)}`),
    async start(broker) {
      running.set(broker, java('kafka.Kafka', file(broker)))
    },
    stop: (broker) => end(broker, 'SIGTERM'),
    kill: (broker) => end(broker, 'SIGKILL'),
    async [Symbol.asyncDispose]() {
      await Promise.all(NODES.map((node) => end(node, 'SIGKILL')))
      await rm(folder, { recursive: true, force: true })
    },
  }
  for (const node of NODES) await cluster.start(node)
  return cluster

  async function end(broker: number, signal: 'SIGTERM' | 'SIGKILL') {
    const program = running.get(broker)
    if (!program) return
    running.delete(broker)
    program.kill(signal)
    await program.exited
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
