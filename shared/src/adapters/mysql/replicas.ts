import { backoffMs } from '../../async/retry'
import { type MonotonicTime, monotonicTime } from '../../async/sleep'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'

/** Where the primary is in its log. */
export interface PrimaryPosition {
  /** The GTIDs of all that it has committed. */
  readonly executed: string
  /** Whether these hold all of those that were asked for. */
  readonly holds: boolean
}

/** What a read needs of the primary; `Db` is what work is done on. */
export interface ReplicatedPrimary<Db> {
  readonly db: Db
  /** Errors: `store_unavailable`, also where the primary gives no GTIDs. */
  position(other: string): Promise<PrimaryPosition>
  /** Told when another server is found to be the primary. */
  onMove(listener: () => void): void
}

/** A server that follows the primary. Errors of every call: whatever keeps it from answering. */
export interface Replica<Db> {
  /** For the log: `host:port`. */
  readonly name: string
  /** Which server it is, and the GTIDs of all that it has applied. */
  state(): Promise<{ readonly server: string; readonly executed: string }>
  /** Does the work on one connection once the server has applied `executed`; null where that takes longer. */
  read<Result>(
    after: { readonly server: string; readonly executed: string },
    waitMs: number,
    work: (db: Db) => Promise<Result>,
  ): Promise<{ readonly result: Result } | null>
}

export interface ReplicasDeps<Db> {
  readonly primary: ReplicatedPrimary<Db>
  readonly replicas: readonly Replica<Db>[]
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly metrics: Pick<Metrics, 'replicaReads' | 'replicasAside'>
  readonly time?: MonotonicTime
  readonly random?: () => number
}

/** Why a replica is not read. `diverged`: it has what the primary has not. */
type Reason = 'unavailable' | 'behind' | 'diverged'

/** A read waits so long for a replica to apply what it must see. */
export const WAIT_MS = 200
/** Between two looks at a replica that is read. */
const LOOK_MS = 1_000
/** After a failure. */
const BACKOFF = { baseMs: 1_000, capMs: 30_000 }
/** Lost numbers stay lost; a replica may apply a transaction a moment before the primary shows it. */
const LINEAGE_LOOKS = 3

interface Followed<Db> {
  readonly replica: Replica<Db>
  /** The server that was found to be of the primary's lineage, and to keep up; null: it is set aside. */
  server: string | null
  reason: Reason | null
  failures: number
}

/**
 * Reads that may go to a replica: **a read sees all that the primary had committed when it began, or it is made at the
 * primary**. So it is as new as a read of the primary, whoever wrote: what it gives may be cached under the same rules.
 *
 * A replica that fails, takes longer than `WAIT_MS`, or has transactions that the primary has not is set aside, and
 * looked at again after a random and growing time. When another server becomes the primary, each has to be looked at
 * again before it is read, and what was read meanwhile is read again at the primary.
 */
export function createReplicas<Db>({
  primary,
  replicas,
  logger,
  metrics,
  time = monotonicTime,
  random = Math.random,
}: ReplicasDeps<Db>) {
  const ended = new AbortController()
  const followed = replicas.map(
    (replica): Followed<Db> => ({ replica, server: null, reason: 'unavailable', failures: 0 }),
  )
  let moves = 0
  let turn = 0
  primary.onMove(() => {
    moves += 1
    for (const each of followed) each.server = null
  })

  function report() {
    for (const reason of ['unavailable', 'behind', 'diverged'] as const) {
      const aside = followed.filter((each) => each.reason === reason)
      metrics.replicasAside.set({ reason }, aside.length)
    }
  }

  function setAside(each: Followed<Db>, reason: Reason, err: unknown) {
    each.server = null
    if (each.reason !== reason) {
      const { name } = each.replica
      logger.warn({ replica: name, reason, err }, 'mysql replica set aside; reading the primary')
    }
    each.reason = reason
    report()
  }

  /** Whether the primary has all that the replica has applied. */
  async function isOfLineage(executed: string): Promise<boolean> {
    for (let looks = 1; ; looks += 1) {
      if ((await primary.position(executed)).holds) return true
      if (looks === LINEAGE_LOOKS) return false
      await time.sleep(WAIT_MS, ended.signal)
    }
  }

  async function look(each: Followed<Db>): Promise<void> {
    const { replica } = each
    const before = moves
    try {
      const { server, executed } = await replica.state()
      if (!(await isOfLineage(executed))) return fail(each, 'diverged', null)
      const now = await primary.position('')
      const isCurrent = await replica.read(
        { server, executed: now.executed },
        WAIT_MS,
        async () => {},
      )
      if (isCurrent === null) return fail(each, 'behind', null)
      if (moves !== before) return
      if (each.reason !== null) logger.info({ replica: replica.name, server }, 'mysql replica used')
      each.server = server
      each.reason = null
      each.failures = 0
      report()
    } catch (error) {
      fail(each, 'unavailable', error)
    }
  }

  function fail(each: Followed<Db>, reason: Reason, err: unknown) {
    each.failures += 1
    setAside(each, reason, err)
  }

  async function follow(each: Followed<Db>): Promise<void> {
    while (!ended.signal.aborted) {
      await look(each)
      const pause = each.failures > 0 ? backoffMs(each.failures, BACKOFF, random) : LOOK_MS
      await time.sleep(pause, ended.signal)
    }
  }

  report()
  const following = Promise.all(followed.map(follow))

  /** Null where it has to be made at the primary. */
  async function readReplica<Result>(each: Followed<Db>, work: (db: Db) => Promise<Result>) {
    const before = moves
    const { server } = each
    if (server === null) return null
    const { executed } = await primary.position('')
    try {
      const read = await each.replica.read({ server, executed }, WAIT_MS, work)
      if (read === null) setAside(each, 'behind', null)
      return moves === before ? read : null
    } catch (error) {
      setAside(each, 'unavailable', error)
      return null
    }
  }

  return {
    async read<Result>(work: (db: Db) => Promise<Result>): Promise<Result> {
      const used = followed.filter(({ server }) => server !== null)
      turn += 1
      const each = used[turn % used.length]
      const read = each ? await readReplica(each, work) : null
      metrics.replicaReads.inc({ answer: read ? 'replica' : 'primary' })
      return read ? read.result : work(primary.db)
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await following
    },
  }
}

export type Replicas<Db> = ReturnType<typeof createReplicas<Db>>
