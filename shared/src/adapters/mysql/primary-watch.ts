import type { Kysely } from 'kysely'
import type { MysqlSettings } from '../../config/program-settings'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { FreshnessFence } from '../../ports/freshness-fence'
import { createSqlFreshnessFence } from '../sql/freshness-fence'
import type { Database } from '../sql/schema'
import { connectMysql } from './database'
import type { MysqlMetrics } from './pool'
import { createMysqlPrimary, type MysqlPrimary } from './primary'

export interface PrimaryWatchDeps {
  readonly logger: Logger
  readonly metrics: MysqlMetrics & Pick<Metrics, 'mysqlMoves' | 'mysqlPrimaryKnown'>
}

export interface PrimaryWatch extends AsyncDisposable {
  readonly db: Kysely<Database>
  readonly fence: FreshnessFence
  /** For the pools of this process. */
  readonly primary: MysqlPrimary
}

/** For looks, and for writers that must close the fence. */
const CONNECTIONS = 2
/** A server that hangs must not outlast the leases of those who wait for the next look. */
const TIMEOUT_MS = 1_000
/** A server that was left behind, and does not know it, answers no look for longer. */
const MAX_LIFETIME_MS = 5_000

/**
 * The fence, on connections of its own: a look that queues behind statements outlasts its lease, and then
 * nothing is answered. After any failure the next look is made on new connections, which lead wherever the
 * address leads by then.
 */
export async function connectPrimaryWatch(
  { logger, metrics }: PrimaryWatchDeps,
  settings: MysqlSettings,
): Promise<PrimaryWatch> {
  const { db, discardOthers, ...database } = await connectMysql(
    { ...settings, poolSize: CONNECTIONS },
    {
      metrics: { ...metrics, poolConnections: null },
      queryTimeoutMs: TIMEOUT_MS,
      maxLifetimeMs: MAX_LIFETIME_MS,
    },
  )
  const leave = () => discardOthers(null)
  const fence = leavingWhatFails(
    createSqlFreshnessFence(db, { onLook: (look) => primary.saw(look) }),
    leave,
  )
  const primary = createMysqlPrimary({ look: fence.read, onDoubt: leave })
  metrics.mysqlPrimaryKnown.readFrom(() => (primary.current() === null ? 0 : 1))
  let known: string | null = null
  primary.onMove((server) => {
    logger.info({ server, before: known }, 'mysql primary found')
    if (known !== null) {
      metrics.mysqlMoves.inc()
      leave()
    }
    known = server
  })
  return { db, fence, primary, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

function leavingWhatFails(fence: FreshnessFence, leave: () => void): FreshnessFence {
  const guarded = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      try {
        return await call(...args)
      } catch (error) {
        leave()
        throw error
      }
    }
  }
  return {
    read: guarded(fence.read),
    close: guarded(fence.close),
    forgetServer: guarded(fence.forgetServer),
    open: guarded(fence.open),
    report: guarded(fence.report),
    leave: guarded(fence.leave),
  }
}
