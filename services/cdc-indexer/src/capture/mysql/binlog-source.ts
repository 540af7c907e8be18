import { storeUnavailable } from '@sns/shared/errors/sns-error'
import type { Logger } from '@sns/shared/observability/logger'
import type { Metrics } from '@sns/shared/observability/metrics'
import { GtidSet } from '@vlasky/zongji'
import type { BinlogSource } from '../ports/binlog-source'
import { dumpBinlog } from './binlog-dump'
import { createCharsetStore } from './charset-store'
import { toCaptureError } from './errors'
import { checkHistory, checkServer } from './server-check'
import { createMysqlSession, type MysqlServer, numberCell, textCell } from './session'
import { readStatementEffects } from './statement-effects'
import { markUnread, readSnapshotCover, UnreadTablesError } from './unread-tables'

export interface MysqlBinlogSourceDeps {
  readonly server: MysqlServer
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'storeErrors'>
}

export interface MysqlBinlogSourceOptions {
  readonly heartbeatMs?: number
  readonly silenceMs?: number
  readonly visibleTimeoutMs?: number
}

/**
 * MySQL's binlog, written as `server-check` demands.
 *
 * `source.ts_ms` is the GTID event's time of the first commit (`original_commit_timestamp`,
 * microseconds, cut to milliseconds), the same in the log of every server; where an event has none, its header's whole
 * seconds. The
 * envelope's `ts_ms` is the same, so that a replay repeats every byte. `total_order` counts from 1.
 */
export function createMysqlBinlogSource(
  { server, logger, metrics }: MysqlBinlogSourceDeps,
  options: MysqlBinlogSourceOptions = {},
): BinlogSource & AsyncDisposable {
  const { heartbeatMs = 5_000, silenceMs = 20_000, visibleTimeoutMs = 10_000 } = options
  const session = createMysqlSession(server)
  const waiting = createMysqlSession(server)
  const charsets = createCharsetStore(session)
  /** What the server last said that it has executed; forgotten with each `read`, whose history may be another. */
  let executed = { set: new GtidSet() }

  function failed(error: unknown) {
    const failure = toCaptureError(error)
    metrics.storeErrors.inc({ store: 'mysql' })
    return failure
  }

  return {
    async read(from, on, sink, signal) {
      executed = { set: new GtidSet() }
      const { id, isKnown } = on
      try {
        session.use(id)
        waiting.use(id)
        await checkServer(session)
        const { seen, last } = await checkHistory(session, from, on)
        if (!isKnown)
          logger.info(
            { server: id },
            'another server has become the primary; it has all that was captured',
          )
        if (from.last && !last) {
          logger.warn(
            { server: id, last: from.last },
            'its binlog begins after the last captured transaction: only its GTID set shows that it is the same history',
          )
        }
        const cover = await readSnapshotCover(session)
        const effects = await readStatementEffects(session)
        await charsets.load()
        logger.info({ position: from }, 'reading the binlog')
        const settings = {
          server,
          serverId: id,
          from: { ...from, last },
          published: on.published,
          seen,
          cover,
          effects,
          heartbeatMs,
          silenceMs,
          decodingOf: charsets.decodingOf,
        }
        await dumpBinlog(settings, sink, signal)
      } catch (error) {
        if (error instanceof UnreadTablesError) await markUnread(session, error.tables)
        throw failed(error)
      }
    },

    async awaitVisible(gtid) {
      const known = executed
      if (known.set.contains(gtid)) return
      try {
        const [row] = await waiting.query(
          'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS timedOut, @@GLOBAL.gtid_executed AS executed',
          [gtid, visibleTimeoutMs / 1_000],
          visibleTimeoutMs + 5_000,
        )
        if (numberCell(row, 'timedOut') === 0) {
          known.set = GtidSet.parse(textCell(row, 'executed'))
          return
        }
      } catch (error) {
        throw failed(error)
      }
      throw failed(
        storeUnavailable('mysql', new Error(`${gtid} is not visible after ${visibleTimeoutMs} ms`)),
      )
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([session[Symbol.asyncDispose](), waiting[Symbol.asyncDispose]()])
    },
  }
}
