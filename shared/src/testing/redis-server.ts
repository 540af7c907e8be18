import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
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
  /** Follows another server; null: is a primary. Connections stay open. */
  replicaOf(primary: RedisServer | null): Promise<void>
}

export async function startRedisServer(): Promise<RedisServer> {
  const port = freePort()
  const folder = mkdtempSync(join(tmpdir(), 'sns-redis-'))
  let child: Bun.Subprocess | null = null

  async function start(): Promise<void> {
    child = Bun.spawn(
      [
        redisServerBinary ?? 'redis-server',
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
        ...['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'],
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
    const redis = new Redis(port, '127.0.0.1')
    try {
      return await redis.call(...words)
    } finally {
      redis.disconnect()
    }
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
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

function freePort(): number {
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
