import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Certificates } from './certificates'
import { eventually } from './eventually'

/** Null where this machine has none to start: tests that need one say so and skip. */
export const redisServerBinary = Bun.which('redis-server')

/** A Redis of a test's own, to kill, restart and promote. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** As kill -9. */
  kill(): Promise<void>
  /** Starts it again, empty. */
  start(): Promise<void>
  /** Stops it where it is: connections stay open and nothing answers. */
  hang(): void
  /** Goes on after `hang`. */
  goOn(): void
  /** Runs one command on a connection of its own. */
  command(...words: [string, ...string[]]): Promise<unknown>
  /** Follows another server; null: is a primary. Connections stay open. */
  replicaOf(primary: RedisServer | null): Promise<void>
}

export interface RedisServerOptions {
  readonly cluster?: boolean
  /** Nobody is served in the clear; clients need no certificate. */
  readonly tls?: Pick<Certificates, 'ca' | 'cert' | 'key'> | null
  /** Who may do everything; without it everybody may. */
  readonly account?: { readonly user: string; readonly password: string } | null
}

export async function startRedisServer({
  cluster = false,
  tls = null,
  account = null,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const port = freePort()
  const folder = mkdtempSync(join(tmpdir(), 'sns-redis-'))
  let child: Bun.Subprocess | null = null

  async function start(): Promise<void> {
    child = Bun.spawn(
      [
        redisServerBinary ?? 'redis-server',
        ...[tls ? '--tls-port' : '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
        ...(tls ? ['--port', '0', '--tls-ca-cert-file', tls.ca] : []),
        ...(tls ? ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key] : []),
        ...(tls ? ['--tls-auth-clients', 'no', '--tls-cluster', cluster ? 'yes' : 'no'] : []),
        ...['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'],
        ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'] : []),
        ...(account ? ['--user', account.user, 'on', `>${account.password}`] : []),
        ...(account ? ['~*', '&*', '+@all', '--user', 'default', 'off'] : []),
      ],
      { stdout: 'ignore', stderr: 'ignore' },
    )
    await eventually(() => accepts(port), { what: `redis-server on ${port}` })
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL')
    await child?.exited
  }

  async function command(...words: [string, ...string[]]): Promise<unknown> {
    const redis = new Redis(port, '127.0.0.1', {
      ...(tls && { tls: { ca: readFileSync(tls.ca, 'utf8') } }),
      ...(account && { username: account.user, password: account.password }),
    })
    try {
      return await redis.call(...words)
    } finally {
      redis.disconnect()
    }
  }

  await start()
  return {
    port,
    url: `redis${tls ? 's' : ''}://${account ? `${account.user}:${account.password}@` : ''}127.0.0.1:${port}`,
    kill,
    start,
    hang: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
    command,
    async replicaOf(primary) {
      if (primary === null) {
        await command('REPLICAOF', 'NO', 'ONE')
        return
      }
      await command('REPLICAOF', '127.0.0.1', String(primary.port))
      const isLinked = async () =>
        /master_link_status:up/.test(String(await command('INFO', 'replication')))
      await eventually(isLinked, { what: 'the replica follows its primary' })
    },
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Three primaries that share all slots evenly. */
export interface RedisCluster extends AsyncDisposable {
  readonly servers: readonly [RedisServer, RedisServer, RedisServer]
  readonly urls: readonly [string, string, string]
  /** Hands a slot from the server that has it to another, with what is in it. */
  moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void>
  /** Adds a server that follows `primary` and takes its place when it is gone; ends with the cluster. */
  addReplica(primary: RedisServer): Promise<RedisServer>
}

const SLOTS = 16_384

export async function startRedisCluster(
  options: Pick<RedisServerOptions, 'tls' | 'account'> = {},
): Promise<RedisCluster> {
  const opened = new AsyncDisposableStack()
  await using onFailure = new AsyncDisposableStack()
  onFailure.use(opened)
  const start = async () => opened.use(await startRedisServer({ ...options, cluster: true }))
  const servers = [await start(), await start(), await start()] as const
  const share = Math.ceil(SLOTS / servers.length)
  for (const [index, server] of servers.entries()) {
    const last = Math.min((index + 1) * share, SLOTS) - 1
    await server.command('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last))
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    await server.command('CLUSTER', 'MEET', '127.0.0.1', String(servers[0].port))
  }
  await eventually(
    async () => {
      for (const server of servers) {
        if (!String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'))
          return false
      }
      return true
    },
    { what: 'the cluster is whole' },
  )
  onFailure.move()
  return {
    servers,
    async addReplica(primary) {
      const replica = await start()
      await replica.command('CLUSTER', 'MEET', '127.0.0.1', String(primary.port))
      const id = String(await primary.command('CLUSTER', 'MYID'))
      await eventually(
        () =>
          replica.command('CLUSTER', 'REPLICATE', id).then(
            () => true,
            () => false,
          ),
        { what: 'the replica knows its primary' },
      )
      const isLinked = async () =>
        /master_link_status:up/.test(String(await replica.command('INFO', 'replication')))
      await eventually(isLinked, { what: 'the replica follows its primary' })
      const replicaId = String(await replica.command('CLUSTER', 'MYID'))
      const isKnown = async (server: RedisServer) =>
        new RegExp(`^${replicaId} .* slave ${id} `, 'm').test(
          String(await server.command('CLUSTER', 'NODES')),
        )
      // Those who elect it must know it.
      const knowIt = async () => (await Promise.all(servers.map(isKnown))).every(Boolean)
      await eventually(knowIt, { what: 'every primary knows the replica' })
      return replica
    },
    urls: [servers[0].url, servers[1].url, servers[2].url],
    async moveSlot(slot, from, to) {
      const [source, target] = [
        String(await from.command('CLUSTER', 'MYID')),
        String(await to.command('CLUSTER', 'MYID')),
      ]
      await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source)
      await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target)
      for (;;) {
        const keys = (await from.command(
          'CLUSTER',
          'GETKEYSINSLOT',
          String(slot),
          '100',
        )) as string[]
        if (keys.length === 0) break
        await from.command(
          'MIGRATE',
          '127.0.0.1',
          String(to.port),
          '',
          '0',
          '1000',
          'KEYS',
          ...keys,
        )
      }
      await to.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', target)
      await from.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', target)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
