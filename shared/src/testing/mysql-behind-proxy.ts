import { type Kysely, sql } from 'kysely'
import { connectMysql, type MysqlDatabaseOptions } from '../adapters/mysql/database'
import type { Database } from '../adapters/sql/schema'
import type { MysqlSettings } from '../config/program-settings'
import { isSnsError } from '../errors/sns-error'
import { createMetrics } from '../observability/metrics'
import { createTcpProxy } from './tcp-proxy'

export type MysqlBehindProxy = Awaited<ReturnType<typeof openMysqlBehindProxy>>

/** A connection pool behind a proxy that the test can cut or stall, with its metrics. */
export async function openMysqlBehindProxy(
  settings: MysqlSettings,
  options: MysqlDatabaseOptions & { readonly poolSize?: number } = {},
) {
  const proxy = await createTcpProxy(`${settings.host}:${settings.port}`)
  const metrics = createMetrics()
  const { poolSize = 4, ...rest } = options
  const { host, port } = proxy
  const database = await connectMysql({ ...settings, host, port, poolSize }, { metrics, ...rest })
  return {
    proxy,
    metrics,
    db: database.db,
    discardOthers: database.discardOthers,
    async [Symbol.asyncDispose]() {
      await proxy.resume()
      await database[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** Whether it failed with `store_unavailable`. */
export async function isUnavailable(promise: Promise<unknown>): Promise<boolean> {
  return isSnsError(await promise.catch((error) => error), 'store_unavailable')
}

export function selectOne(db: Kysely<Database>) {
  return sql<{ one: number }>`select 1 as one`.execute(db)
}
