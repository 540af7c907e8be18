import slotOf from 'cluster-key-slot'
import { Redis } from 'ioredis'
import { repeatEvery } from '../../async/sleep'
import { stripValues } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError, storeUnavailable } from '../../errors/sns-error'
import {
  createRedisClient,
  type RedisClient,
  type RedisClientDeps,
  type RedisClientOptions,
  runOfParts,
} from './client'
import { explainRedisRefusal, redisTlsOptions } from './connection-options'

export interface RedisClusterOptions extends Omit<RedisClientOptions, 'url'> {
  /** Of some servers, with the same credentials: the others are learnt from them. */
  readonly urls: readonly [string, ...string[]]
  /** From the end of one look at the slots to the start of the next. */
  readonly pollMs?: number
}

const SLOTS = 16_384
const POLL_MS = 500

/** Who has which slots, as one server of the cluster tells it. */
interface SlotRange {
  readonly from: number
  readonly to: number
  readonly url: string
  /** As the cluster names the server: all clients know it by the same. */
  readonly id: string
}

/**
 * All primaries of a Redis Cluster as one server. It is there only while every slot has a primary and
 * every primary is connected: a change must be told on each of them, so that whoever reads a timeline on
 * any of them has heard it. Its run is made of all their runs. Another primary in place of one, or one
 * more, is therefore another run, as a restart is; a slot that moves between them is none.
 *
 * Each server has a channel of its own, heard on the connection to it: only there does a message come
 * before the replies that follow it. So a change is heard once a primary.
 */
export function createRedisClusterClient(
  deps: RedisClientDeps,
  { urls, pollMs = POLL_MS, ...options }: RedisClusterOptions,
): RedisClient {
  const { logger, metrics, listener } = deps
  const stop = new AbortController()
  const definitions: Parameters<RedisClient['define']>[] = []
  const servers = new Map<string, RedisClient>()
  const connected = new Set<string>()
  let bySlot: readonly (RedisClient | undefined)[] = []
  let isHeard = false
  /** Of the latest look at the slots. */
  let refusal: string | null = null
  let term = 0

  function settle(): void {
    const isWhole = connected.size === servers.size && bySlot.length === SLOTS
    if (isWhole === isHeard) return
    isHeard = isWhole
    if (isWhole) listener?.connected()
    else listener?.lost()
  }

  function connect(url: string, id: string): RedisClient {
    const client = createRedisClient(
      {
        ...deps,
        listener: {
          channel: listener?.channel ? `${listener.channel}:${id}` : null,
          heard: (message) => listener?.heard(message),
          connected() {
            connected.add(url)
            settle()
          },
          lost() {
            connected.delete(url)
            settle()
          },
        },
      },
      { ...options, url },
    )
    for (const definition of definitions) client.define(...definition)
    client.useTerm(term)
    return client
  }

  async function useSlots(ranges: readonly SlotRange[]): Promise<void> {
    const primaries = new Map(ranges.map(({ url, id }) => [url, id]))
    const isSame =
      primaries.size === servers.size && [...primaries.keys()].every((url) => servers.has(url))
    if (!isSame) {
      bySlot = []
      settle()
    }
    const gone = [...servers].filter(([url]) => !primaries.has(url))
    for (const [url] of gone) {
      servers.delete(url)
      connected.delete(url)
    }
    for (const [url, id] of primaries) if (!servers.has(url)) servers.set(url, connect(url, id))
    const next = new Array<RedisClient | undefined>(SLOTS)
    for (const { from, to, url } of ranges) next.fill(servers.get(url), from, to + 1)
    bySlot = next.includes(undefined) ? [] : next
    settle()
    if (!isSame)
      logger.info(
        { primaries: [...primaries.keys()].map(withoutCredentials) },
        'using the primaries of a redis cluster',
      )
    await Promise.all(gone.map(([, client]) => client[Symbol.asyncDispose]()))
  }

  async function look(): Promise<void> {
    const failures: unknown[] = []
    let refused: string | null = null
    for (const url of new Set([...servers.keys(), ...urls])) {
      try {
        const ranges = await readSlots(url, options)
        if (!stop.signal.aborted) await useSlots(ranges)
        refusal = null
        return
      } catch (error) {
        failures.push(stripValues(error))
        refused ??= explainRedisRefusal(url, error)
      }
    }
    if (refused !== null && refused !== refusal) logger.error(refused)
    refusal = refused
    throw new AggregateError(failures, 'no server of the redis cluster tells who has which slots')
  }

  let looking: Promise<void> | null = null
  /** One at a time: an answer that is older than another one never replaces it. */
  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null
    })
    return looking
  }

  let firstTry: Promise<unknown> | null = lookOnce()
    .then(() => Promise.allSettled([...servers.values()].map((server) => server.health.check())))
    .catch((err) => logger.warn({ err }, 'redis is unavailable; reads use SQL until it is back'))
    .finally(() => {
      firstTry = null
    })
  const polling = repeatEvery(lookOnce, {
    intervalMs: pollMs,
    signal: stop.signal,
    onError: (err) => logger.debug({ err }, 'the slots of the redis cluster could not be read'),
  })

  function whole<Value>(value: Value | undefined): Value {
    if (isHeard && value !== undefined) return value
    metrics.storeErrors.inc({ store: 'redis' })
    throw storeUnavailable('redis', new Error('a primary of the redis cluster is away'))
  }

  async function lookAgainIfMoved(error: unknown): Promise<never> {
    const cause = isSnsError(error) ? error.cause : error
    if (cause instanceof Error && /^(MOVED|READONLY|CLUSTERDOWN)/.test(cause.message)) {
      await lookOnce().catch(() => {})
    }
    throw error
  }

  function currentRun(): string | null {
    if (!isHeard) return null
    const runs = [...servers.values()].map((server) => server.currentRun())
    return runOfParts(runs.sort())
  }

  async function everywhere(commands: (redis: Redis) => Promise<unknown>): Promise<void> {
    if (firstTry) await firstTry
    whole(servers)
    await Promise.all([...servers.values()].map((server) => server.everywhere(commands))).catch(
      lookAgainIfMoved,
    )
  }

  return {
    async run(commands, key = '') {
      if (firstTry) await firstTry
      return whole(bySlot[slotOf(key)]).run(commands).catch(lookAgainIfMoved)
    },
    everywhere,
    async publish(message) {
      if (firstTry) await firstTry
      whole(servers)
      await Promise.all([...servers.values()].map((server) => server.publish(message))).catch(
        lookAgainIfMoved,
      )
    },
    together: (keys) => [...Map.groupBy(keys, (key) => slotOf(key)).values()],
    define(...definition) {
      definitions.push(definition)
      for (const server of servers.values()) server.define(...definition)
    },
    currentRun,
    async checkRun() {
      await lookOnce().catch((error) => {
        throw storeUnavailable('redis', error)
      })
      await Promise.all([...servers.values()].map((server) => server.checkRun()))
    },
    useTerm(next) {
      term = next
      for (const server of servers.values()) server.useTerm(next)
    },
    async checkAccepted() {
      if (firstTry) await firstTry
      if (refusal !== null) throw new OperatorError(refusal)
    },
    health: { name: 'redis', check: () => everywhere((redis) => redis.ping()) },
    async [Symbol.asyncDispose]() {
      stop.abort()
      bySlot = []
      settle()
      await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()))
      await polling
    },
  }
}

/** Asks on a connection of its own: those that hear are too few while the cluster changes. */
async function readSlots(
  asked: string,
  {
    ca = null,
    commandTimeoutMs = 1_000,
    connectTimeoutMs = 1_000,
  }: Omit<RedisClientOptions, 'url'>,
): Promise<SlotRange[]> {
  const redis = new Redis(asked, {
    ...redisTlsOptions({ url: asked, ca }),
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
  })
  let refused: unknown = null
  redis.on('error', (error) => {
    refused ??= explainRedisRefusal(asked, error) === null ? null : error
  })
  try {
    await redis.connect()
    const ranges = await redis.cluster('SLOTS')
    return ranges.flatMap(([from, to, primary]) => {
      if (primary === undefined) return []
      const url = new URL(asked)
      const [host, port, id] = primary
      // A server that does not know its own name means: as you have called me.
      if (host) url.hostname = host.includes(':') ? `[${host}]` : host
      url.port = String(port)
      return { from, to, url: url.href, id }
    })
  } catch (error) {
    // The driver says only that the connection closed.
    throw refused ?? error
  } finally {
    redis.disconnect()
  }
}

function withoutCredentials(url: string): string {
  return new URL(url).host
}
