import { type Kysely, sql } from 'kysely'
import type { MysqlAddress } from '../../config/database-url'
import { storeUnavailable } from '../../errors/sns-error'
import type { Logger } from '../../observability/logger'
import type { Metrics } from '../../observability/metrics'
import type { StatementListener } from '../sql/database'
import type { Database } from '../sql/schema'
import { connectMysql, type MysqlDatabase } from './database'
import type { MysqlPrimary } from './primary'
import { createReplicas, type Replica, type ReplicatedPrimary } from './replicas'

export interface ReplicaReadsDeps {
  /** Connections that lead to `primary` alone. */
  readonly db: Kysely<Database>
  readonly primary: Pick<MysqlPrimary, 'onMove'>
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'replicaReads' | 'replicasAside'>
}

export interface ReplicaReadsOptions {
  readonly addresses: readonly MysqlAddress[]
  /** How many connections to each. */
  readonly poolSize: number
  readonly onStatement?: StatementListener | null
}

/** A replica that hangs must not hold a read up for much longer than the primary would take. */
const TIMEOUT_MS = 2_000

/** The replicas at these addresses, which need not answer yet. */
export function createReplicaReads(
  { db, primary, logger, metrics }: ReplicaReadsDeps,
  { addresses, ...options }: ReplicaReadsOptions,
) {
  const opened = new AsyncDisposableStack()
  const links = addresses.map((address) => opened.use(createReplicaLink(address, options)))
  const replicas = opened.use(
    createReplicas({
      primary: replicatedPrimary(db, primary),
      replicas: links,
      logger,
      metrics,
    }),
  )
  return { read: replicas.read, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function replicatedPrimary(
  db: Kysely<Database>,
  primary: Pick<MysqlPrimary, 'onMove'>,
): ReplicatedPrimary<Kysely<Database>> {
  return {
    db,
    async position(other) {
      const { rows } = await sql<{ executed: string; holds: number; mode: string }>`
        select gtid_subset(${other}, @@global.gtid_executed) as holds,
          @@global.gtid_executed as executed, @@global.gtid_mode as mode`.execute(db)
      const [row] = rows
      if (row?.mode !== 'ON') {
        throw storeUnavailable('mysql', new Error('replicas are not read without gtid_mode=ON'))
      }
      return { executed: row.executed, holds: Number(row.holds) === 1 }
    },
    onMove: (listener) => primary.onMove(listener),
  }
}

/** Connects when it is first needed, and again where that failed. */
function createReplicaLink(
  address: MysqlAddress,
  { poolSize, onStatement = null }: Omit<ReplicaReadsOptions, 'addresses'>,
): Replica<Kysely<Database>> & AsyncDisposable {
  let connecting: Promise<MysqlDatabase> | null = null

  async function connected(): Promise<Kysely<Database>> {
    connecting ??= connectMysql(
      { ...address, echo: false, poolSize },
      {
        setting: 'DATABASE_READ_URLS',
        onStatement,
        connectTimeoutMs: TIMEOUT_MS,
        queryTimeoutMs: TIMEOUT_MS,
        acquireTimeoutMs: TIMEOUT_MS,
      },
    ).catch((error: unknown) => {
      connecting = null
      throw error
    })
    return (await connecting).db
  }

  return {
    name: `${address.host}:${address.port}`,
    async state() {
      const db = await connected()
      const { rows } = await sql<{ server: string; executed: string }>`
        select @@server_uuid as server, @@global.gtid_executed as executed`.execute(db)
      const [row] = rows
      if (!row) throw new Error('the server does not say which it is')
      return row
    },
    async read({ server, executed }, waitMs, work) {
      const db = await connected()
      return db.connection().execute(async (connection) => {
        const { rows } = await sql<{ isLate: number; server: string }>`
          select wait_for_executed_gtid_set(${executed}, ${waitMs / 1_000}) as isLate,
            @@server_uuid as server`.execute(connection)
        if (rows[0]?.server !== server) throw new Error('the address leads to another server')
        return Number(rows[0].isLate) === 0 ? { result: await work(connection) } : null
      })
    },
    async [Symbol.asyncDispose]() {
      await (await connecting?.catch(() => null))?.[Symbol.asyncDispose]()
    },
  }
}
