import type { Redis } from 'ioredis'
import type { RedisClient, RedisListener } from '../adapters/redis/client'
import { storeUnavailable } from '../errors/sns-error'
import type { SimulatedProcess, SimulatedWorld } from './simulated-world'

const COMMAND_TIMEOUT_MS = 1_000

/** A Redis of a simulated world: publishes, holds timelines, and knows which run it is. */
export interface SimulatedServer {
  currentRun(): string
  readonly isUp: boolean
  /** As kill -9. It restarts with all its timelines: the worst case of an old snapshot. */
  stop(): void
  /** Another run. */
  start(): void
  /** Makes it a primary with a history of its own: connections stay. */
  promote(): void
}

/** A timeline as the scripts keep it, without cap and floor. */
interface Window {
  readonly run: string
  /** The token of the rebuild that is under way; null: ready. */
  readonly token: string | null
  readonly graphVersion: number
  readonly ids: Set<number>
}

/** Where a process finds Redis, as its name service or a proxy says; null: nowhere. */
export interface SimulatedRoute {
  server: SimulatedServer | null
}

export interface SimulatedRedisClient extends RedisClient {
  /** Cuts its connection. It notices at once, or, where `isSilent`, only when a reply does not come. */
  cut(isSilent: boolean): void
}

export function createSimulatedServer(world: SimulatedWorld): SimulatedServer {
  return new Server(world)
}

class Server implements SimulatedServer {
  readonly connections = new Set<Connection>()
  readonly windows = new Map<string, Window>()
  isUp = true
  private runId = 0
  private replid = 0

  constructor(private readonly world: SimulatedWorld) {
    this.start()
  }

  currentRun(): string {
    return `${this.runId}.${this.replid}`
  }

  stop(): void {
    this.isUp = false
    for (const connection of [...this.connections]) connection.end()
  }

  start(): void {
    this.isUp = true
    this.runId = Math.floor(this.world.between(1, 2 ** 40))
    this.promote()
  }

  promote(): void {
    this.replid = Math.floor(this.world.between(1, 2 ** 40))
  }

  push(keys: readonly string[], id: number): [number, number, number, number] {
    const present = keys.flatMap((key) => this.windows.get(key) ?? [])
    for (const { ids } of present) ids.add(id)
    return [present.length, keys.length - present.length, 0, 0]
  }

  read(key: string, run: string): [floor: string, graphVersion: string, ids: string[]] | null {
    const window = this.windows.get(key)
    if (window?.run !== run) this.windows.delete(key)
    if (window?.run !== run || window.token !== null) return null
    const newestFirst = [...window.ids].sort((a, b) => b - a)
    return ['0', String(window.graphVersion), newestFirst.map(String)]
  }

  begin(key: string, run: string, token: string): 0 | 1 {
    const window = this.windows.get(key)
    if (window?.run === run && window.token !== null) return 0
    this.windows.set(key, { run, token, graphVersion: 0, ids: new Set() })
    return 1
  }

  finish(
    key: string,
    run: string,
    token: string,
    graphVersion: number,
    ids: readonly number[],
  ): 0 | 1 {
    const window = this.windows.get(key)
    if (window?.run !== run || window.token !== token) return 0
    const joined = new Set([...window.ids, ...ids])
    this.windows.set(key, { run, token: null, graphVersion, ids: joined })
    return 1
  }

  publish(message: string): number {
    const hearing = [...this.connections].filter(({ isSubscribed }) => isSubscribed)
    for (const connection of hearing) connection.push(message)
    return hearing.length
  }
}

/** Both directions keep their order; messages and replies share one. */
class Connection {
  isSubscribed = false
  private isCut = false
  private isEnded = false
  private readonly waiting = new Set<(error: Error) => void>()
  private lastArrival = 0
  private lastDelivery = 0

  constructor(
    private readonly world: SimulatedWorld,
    private readonly process: SimulatedProcess,
    private readonly server: Server,
    private readonly on: { message(text: string): void; close(): void },
  ) {
    server.connections.add(this)
  }

  send<Reply>(execute: (server: Server, connection: Connection) => Reply): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.isEnded) return reject(new Error('Connection is closed.'))
      this.waiting.add(reject)
      this.lastArrival = Math.max(this.lastArrival, this.world.now() + this.delay())
      this.world.after(this.lastArrival - this.world.now(), () => {
        if (this.isCut || !this.server.connections.has(this)) return
        const reply = execute(this.server, this)
        this.deliver(() => {
          this.waiting.delete(reject)
          resolve(reply)
        })
      })
    })
  }

  push(message: string): void {
    this.deliver(() => this.on.message(message))
  }

  /** Nothing passes any more; neither side notices. */
  cut(): void {
    this.isCut = true
  }

  /** Closed by the server or the network: messages sent before may still arrive. */
  end(): void {
    this.server.connections.delete(this)
    this.isCut ||= this.world.between(0, 1) < 0.5
    this.world.after(this.delay(), () => this.process.deliver(() => this.close()))
  }

  /** Closed by the client: commands sent before may still run. */
  close(): void {
    if (this.isEnded) return
    this.isEnded = true
    this.world.after(this.delay(), () => this.server.connections.delete(this))
    this.on.close()
    for (const reject of this.waiting) reject(new Error('Connection is closed.'))
  }

  private deliver(work: () => void): void {
    this.lastDelivery = Math.max(this.lastDelivery, this.world.now() + this.delay())
    this.world.after(this.lastDelivery - this.world.now(), () => {
      if (this.isCut) return
      // What has arrived is read even if the connection ends meanwhile, unless the client ended it.
      this.process.deliver(() => {
        if (!this.isEnded) work()
      })
    })
  }

  private delay(): number {
    return this.world.between(0, 1) < 0.9 ? this.world.between(0.1, 3) : this.world.between(3, 300)
  }
}

/** Behaves as `createRedisClient` does on a connection to a server of the simulated world. */
export function createSimulatedRedisClient({
  world,
  process,
  route,
  listener,
}: {
  readonly world: SimulatedWorld
  readonly process: SimulatedProcess
  readonly route: SimulatedRoute
  readonly listener?: RedisListener
}): SimulatedRedisClient {
  const { time } = process
  let connection: Connection | null = null
  let serverRun: string | null = null
  let termSuffix = ''
  let isClosed = false

  function wentAway(): void {
    if (serverRun !== null) listener?.lost()
    serverRun = null
  }

  async function keepConnected(): Promise<void> {
    while (!isClosed && !process.isCrashed) {
      await time.sleep(world.between(10, 200))
      const { server } = route
      if (isClosed || !(server instanceof Server) || !server.isUp) continue
      await new Promise<void>((resolve) => {
        const close = () => {
          wentAway()
          resolve()
        }
        const message = (text: string) => listener?.heard(text)
        const next = new Connection(world, process, server, { message, close })
        connection = next
        shakeHands(next).catch(() => next.close())
      })
    }
  }

  async function shakeHands(next: Connection): Promise<void> {
    await inTime(
      next.send((_server, at) => {
        at.isSubscribed = listener !== undefined
      }),
    )
    const run = await inTime(next.send((server) => server.currentRun()))
    if (isClosed || next !== connection) return
    serverRun = run
    listener?.connected()
  }

  async function inTime<Reply>(reply: Promise<Reply>): Promise<Reply> {
    const late = time.sleep(COMMAND_TIMEOUT_MS).then(() => {
      throw new Error('Command timed out')
    })
    late.catch(() => {})
    return Promise.race([reply, late])
  }

  function failed(error: unknown) {
    if (error instanceof Error && error.message === 'Command timed out' && serverRun !== null) {
      wentAway()
      connection?.close()
    }
    return storeUnavailable('redis', error)
  }

  async function ask<Reply>(execute: (server: Server) => Reply): Promise<Reply> {
    if (!connection) throw new Error('no connection')
    return inTime(connection.send(execute))
  }

  const commands = {
    publish: (_channel: string, message: string) => ask((server) => server.publish(message)),
    ping: () => ask(() => 'PONG'),
    snsTimelinePush: (count: number, ...rest: (string | number)[]) =>
      ask((server) => server.push(rest.slice(0, count).map(String), Number(rest[count]))),
    snsTimelineRead: (key: string, run: string) => ask((server) => server.read(key, run)),
    snsTimelineBegin: (key: string, run: string, token: string) =>
      ask((server) => server.begin(key, run, token)),
    snsTimelineFinish: (
      key: string,
      run: string,
      token: string,
      _complete: number,
      graphVersion: number,
      _cap: number,
      _ttlMs: number,
      ...ids: number[]
    ) => ask((server) => server.finish(key, run, token, graphVersion, ids)),
  } as unknown as Redis

  void keepConnected()
  const client: SimulatedRedisClient = {
    async run(work) {
      try {
        if (serverRun === null) throw new Error('the connection is closed')
        return await work(commands, serverRun + termSuffix)
      } catch (error) {
        throw failed(error)
      }
    },
    async everywhere(work) {
      await client.run(work)
    },
    async publish(message) {
      await client.run((redis) => redis.publish('', message))
    },
    together: (keys) => [keys],
    define() {},
    currentRun: () => serverRun,
    useTerm(term) {
      termSuffix = `.${term}`
    },
    async checkAccepted() {},
    async checkRun() {
      const known = serverRun
      const run = await ask((server) => server.currentRun()).catch((error) => {
        throw failed(error)
      })
      if (serverRun === known && known !== null) serverRun = run
    },
    health: { name: 'redis', check: async () => {} },
    cut(isSilent) {
      if (isSilent) connection?.cut()
      else connection?.end()
    },
    async [Symbol.asyncDispose]() {
      if (serverRun !== null) listener?.lost()
      isClosed = true
      serverRun = null
      connection?.close()
    },
  }
  return client
}
