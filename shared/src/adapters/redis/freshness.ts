import { inOneTurn } from '../../async/in-one-turn'
import { type MonotonicTime, monotonicTime, repeatEvery } from '../../async/sleep'
import type { PostId, UserId } from '../../domain/id'
import { storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { Belief, Change, Freshness, Hint } from '../../ports/freshness'
import {
  type FenceState,
  type FreshnessFence,
  LEASE_MARGIN,
  LEASE_MS,
  REPORT_TTL_MS,
} from '../../ports/freshness-fence'
import type { RedisClient, RedisListener } from './client'

export interface RedisFreshnessDeps {
  readonly fence: FreshnessFence
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'freshnessBelieves' | 'freshnessFenceCloses' | 'freshnessHeard'>
  readonly time?: MonotonicTime
}

export interface RedisFreshnessOptions {
  readonly channel: string
  /** How long a look at the fence is good for. */
  readonly leaseMs?: number
  /** From the end of one look at the fence to the start of the next. */
  readonly pollMs?: number
}

export interface RedisFreshness extends Freshness, AsyncDisposable {
  /** For the client that timelines are read with: its connection is the one that hears. */
  readonly listener: RedisListener
  /** Begins to look at the fence. */
  start(client: RedisClient): void
  /**
   * Resolves once every timeline that is read from now on has what was pushed on `run` before the call.
   * Errors: `store_unavailable` where others read timelines of another run, or `run` is null (pushed
   * on nobody knows which): push again.
   */
  confirmPush(run: string | null): Promise<void>
}

const POLL_MS = 500

/** A look at the fence, and since when its state has been seen to be the same. */
interface Look extends FenceState {
  /** When the look began. */
  readonly at: number
  /** When the look ended that first saw this generation closed; 0 while it is open. */
  readonly closedSince: number
}

export function changeChannel(prefix: string): string {
  return `${prefix}:changes`
}

/** The run of the server that the changes were published on; null: perhaps on none. */
async function publish(
  client: RedisClient,
  changes: readonly (Change | Hint)[],
): Promise<string | null> {
  const run = client.currentRun()
  const message = encodeChanges(changes)
  return client.publish(message).then(
    () => (run === client.currentRun() ? run : null),
    () => null,
  )
}

/**
 * Changes travel on a Redis channel, heard by the connection that also reads timelines.
 *
 * A process believes while (1) its last look at the fence in MySQL is no older than the lease, (2) that
 * look found the fence open for the run of Redis that it is connected to, and (3) its connection has
 * heard the channel ever since what it keeps was loaded. A new connection or another generation of the
 * fence is another belief.
 *
 * Timelines are read under a belief only, so that they are those of the fence's run. A push to another
 * run counts only while the fence is closed, and then nobody goes on with the timelines from before.
 *
 * A writer that cannot tell the others closes the fence and waits until every look from before is over,
 * then answers: nobody believes any more. While the fence is closed it waits for nothing. Once closed,
 * the fence opens when it has been seen closed for a whole lease and every process is connected to one
 * and the same run again. The server for which it is open therefore changes only through a time in
 * which nobody believes.
 *
 * Leases are those of Gray and Cheriton (1989): they rest on clocks that run at nearly one rate, not on
 * clocks that agree.
 */
export function createRedisFreshness(
  { fence, logger, metrics, time = monotonicTime }: RedisFreshnessDeps,
  options: RedisFreshnessOptions,
): RedisFreshness {
  const { channel, leaseMs = LEASE_MS, pollMs = POLL_MS } = options
  const process = crypto.randomUUID()
  const listeners: ((change: Change) => void)[] = []
  const hintListeners: ((hint: Hint) => void)[] = []
  const stop = new AbortController()
  let client: RedisClient | null = null
  let looking: Promise<void> = Promise.resolve()
  let look: Look | null = null
  let reported: { readonly server: string | null; readonly at: number } | null = null
  let isListening = false
  let belief: Belief = { belief: true }

  /** Slower looks may end out of order: one that began earlier never replaces a later one. */
  async function lookAtFence(act: () => Promise<FenceState> = fence.read): Promise<Look> {
    const at = time.now()
    const state = await act()
    const isKnown = look !== null && look.generation === state.generation && !look.isOpen
    const closedSince = state.isOpen ? 0 : isKnown && look ? look.closedSince : time.now()
    const seen: Look = { ...state, at, closedSince }
    if (look === null || at >= look.at) {
      if (look?.generation !== seen.generation) belief = { belief: true }
      look = seen
      client?.useTerm(seen.term)
    }
    return seen
  }

  function isLeased(now = time.now()): boolean {
    return look !== null && now - look.at < leaseMs
  }

  function isOpenFor(run: string | null, { isOpen, server }: FenceState): boolean {
    return isOpen && server === run
  }

  /**
   * Since the look, the fence may have closed, but not opened for another run within its lease: nobody
   * believes anything of another run.
   */
  function isLeasedFor(run: string | null): boolean {
    return run !== null && look !== null && isLeased() && isOpenFor(run, look)
  }

  function believed(): Belief | null {
    return isListening && isLeasedFor(client?.currentRun() ?? null) ? belief : null
  }

  /** Until no look from before `since` may be relied on. */
  async function outlastLeases(since: number): Promise<void> {
    const rest = since + leaseMs * LEASE_MARGIN - time.now()
    if (rest > 0) await time.sleep(rest)
  }

  /** Shared by all that ask before it is sent: it is sent after each of them began. */
  const barrierOfTurn = inOneTurn<undefined, void>({
    limit: Number.POSITIVE_INFINITY,
    sizeOf: () => 0,
    work: async () => {
      await client?.everywhere((redis) => redis.ping())
    },
  })

  async function keepUp(redis: RedisClient): Promise<void> {
    if (redis.currentRun() !== null) await redis.checkRun().catch(() => {})
    const run = redis.currentRun()
    const isDue = !reported || time.now() - reported.at > REPORT_TTL_MS / 3
    if (isDue || reported?.server !== run) {
      await fence.report(process, run)
      reported = { server: run, at: time.now() }
    }
    const seen = await lookAtFence()
    if (run === null) return
    if (seen.isOpen) {
      if (seen.server === run) return
      logger.warn(
        { fence: seen.generation },
        'connected to a different redis than before; closing the fence',
      )
      metrics.freshnessFenceCloses.inc({ reason: 'server' })
      await lookAtFence(fence.close)
    } else if (time.now() - seen.closedSince > leaseMs * LEASE_MARGIN) {
      if (!(await fence.open(run, seen.generation))) return
      logger.info({ fence: seen.generation }, 'the fence is open; pages come from memory again')
      await lookAtFence()
    }
  }

  return {
    listener: {
      channel,
      heard(message) {
        metrics.freshnessHeard.inc()
        if (listeners.length + hintListeners.length === 0) return
        for (const each of decodeChanges(message)) {
          if (each.kind === 'delivered' || each.kind === 'notified') {
            for (const listener of hintListeners) listener(each)
          } else {
            for (const listener of listeners) listener(each)
          }
        }
      },
      connected() {
        belief = { belief: true }
        isListening = true
      },
      lost() {
        isListening = false
      },
    },

    start(connected) {
      client = connected
      const work = () =>
        keepUp(connected).finally(() => metrics.freshnessBelieves.set(believed() ? 1 : 0))
      looking = repeatEvery(work, {
        intervalMs: pollMs,
        signal: stop.signal,
        time,
        onError: (err) => logger.debug({ err }, 'the fence could not be read'),
      })
    },

    async announce(changes) {
      if (changes.length === 0) return
      const run = client && (await publish(client, changes))
      if (isLeasedFor(run)) return
      const seen = await lookAtFence()
      if (isOpenFor(run, seen)) return
      if (seen.isOpen) {
        logger.warn(
          { fence: seen.generation },
          'a change could not be announced; closing the fence',
        )
        metrics.freshnessFenceCloses.inc({ reason: 'writer' })
        await outlastLeases((await lookAtFence(fence.close)).closedSince)
      } else {
        await outlastLeases(seen.closedSince)
      }
    },

    async hint(hints) {
      if (client && hints.length > 0) await publish(client, hints)
    },

    barrier: () => barrierOfTurn(undefined),

    belief: believed,

    async confirmPush(run) {
      if (isLeasedFor(run)) return
      const seen = await lookAtFence()
      if (run !== null && seen.server === run) return
      if (seen.isOpen) {
        throw storeUnavailable(
          'redis',
          new Error('pushed to another redis than timelines are read from'),
        )
      }
      if (!(await fence.forgetServer(seen.generation))) {
        throw storeUnavailable('redis', new Error('the fence opened during a push'))
      }
      await outlastLeases(seen.closedSince)
    },

    onChange: (listener) => void listeners.push(listener),
    onHint: (listener) => void hintListeners.push(listener),

    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
      await fence.leave(process).catch(() => {})
    },
  }
}

/** Changes and hints as one line of text: a letter and ids each, `p7 e7:3 a3 v3`. */
function encodeChanges(changes: readonly (Change | Hint)[]): string {
  return changes.map(encode).join(' ')
}

/** What is none of ours is passed over: a newer version may know more kinds. */
function decodeChanges(message: string): (Change | Hint)[] {
  return message.split(' ').flatMap((part) => decode(part) ?? [])
}

function encode(change: Change | Hint): string {
  switch (change.kind) {
    case 'post':
      return `p${change.post}`
    case 'created':
      // To a process of an older version: what the post says has changed.
      return `p${change.post}:${change.author}`
    case 'engagement':
      return `e${change.post}:${change.by}`
    case 'posts':
      return `n${change.author}`
    case 'lanes':
      return 'l0'
    case 'author':
      return `a${change.user}`
    case 'viewer':
      return `v${change.user}`
    case 'reactions':
      // To a process of an older version: all that the viewer sees has changed.
      return `v${change.user}:1`
    case 'delivered':
      return `d${change.author}`
    case 'notified':
      return `o${change.user}`
  }
}

function decode(part: string): Change | Hint | null {
  const [, kind, first, second] = /^([penlavdo])(\d+)(?::(\d+))?$/.exec(part) ?? []
  const id = Number(first)
  switch (kind) {
    case 'p':
      return second === undefined
        ? { kind: 'post', post: id as PostId }
        : { kind: 'created', post: id as PostId, author: Number(second) as UserId }
    case 'e':
      return { kind: 'engagement', post: id as PostId, by: Number(second) as UserId }
    case 'n':
      return { kind: 'posts', author: id as UserId }
    case 'l':
      return { kind: 'lanes' }
    case 'a':
      return { kind: 'author', user: id as UserId }
    case 'v':
      return { kind: second === undefined ? 'viewer' : 'reactions', user: id as UserId }
    case 'd':
      return { kind: 'delivered', author: id as UserId }
    case 'o':
      return { kind: 'notified', user: id as UserId }
    default:
      return null
  }
}
