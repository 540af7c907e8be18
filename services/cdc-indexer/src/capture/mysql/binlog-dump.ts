import { mysqlConnectionOptions } from '@sns/shared/adapters/mysql/connection-options'
import { yieldToEventLoop } from '@sns/shared/async/sleep'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { capturedTables } from '@sns/shared/events/tables'
import ZongJi from '@vlasky/zongji'
import type { BinlogItem, BinlogPosition, BinlogSink } from '../ports/binlog-source'
import type { PublishedTransaction } from '../ports/change-publisher'
import { MOVE_ON } from '../ports/checkpoint-store'
import { createBinlogDecoder, DECODED_EVENTS } from './binlog-decoder'
import {
  INCIDENT_EVENT,
  isGtidEvent,
  type RawPacket,
  ROTATE_EVENT,
  readBinlogPacket,
  readChecksumSetting,
  readNextFile,
  watchPackets,
} from './binlog-packet'
import { createTransactionReader } from './binlog-transactions'
import { toDumpError } from './errors'
import {
  isLoadQueryEvent,
  isQueryEvent,
  type LoggedQuery,
  readQueryEvent,
  readServerVersion,
} from './query-event'
import { MYSQL_CONNECT_TIMEOUT_MS, type MysqlServer, SERVER_SQL } from './session'
import type { StatementEffects } from './statement-effects'
import type { SnapshotCover } from './unread-tables'
import type { DecodingOf } from './values/column-reader'

interface BinlogDumpOptions {
  readonly server: MysqlServer
  /** The server that both connections must lead to. */
  readonly serverId: string
  readonly from: BinlogPosition
  /** What keeps the sequence that it was published with. */
  readonly published: readonly PublishedTransaction[]
  /** What the server is told to leave out: `from.gtidSet` without the transaction that proves it. */
  readonly seen: string
  readonly cover: SnapshotCover
  readonly effects: StatementEffects
  /** How often an idle server says that it is alive. */
  readonly heartbeatMs: number
  /** A connection counts as dead after this much silence, unless it is paused. */
  readonly silenceMs: number
  readonly decodingOf: DecodingOf
}

const WAIT_TIMEOUT_SECONDS = 31_536_000
/**
 * After so many changes everything else has a turn: the runtime reads a socket as long as there is something to read,
 * and a server with a backlog always has. What is being published would wait for tens of milliseconds at each step.
 */
const CHANGES_A_TURN = 300

/**
 * One dump of the binlog into the sink over two connections of its own, from a position until the
 * signal aborts. The server sends heartbeats, so that a hung one is told from an idle one.
 */
export async function dumpBinlog(
  options: BinlogDumpOptions,
  sink: BinlogSink,
  signal: AbortSignal,
): Promise<void> {
  const { server, from, published, seen, serverId, cover, effects, heartbeatMs, silenceMs } =
    options
  const { database } = server
  const zongji = new ZongJi({
    ...mysqlConnectionOptions(server),
    connectTimeout: MYSQL_CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    timezone: 'Z',
    connectAttributes: { program_name: 'sns-capture', captured_database: database },
  })
  const over = Promise.withResolvers<void>()
  over.promise.catch(() => {})
  let isOver = false
  let isPaused = false
  let changesInTurn = 0
  let room: Promise<void> | null = null
  let commitTime: number | null = null
  /** What comes before the first file's own word has one, as the server is told that we know them. */
  let hasChecksum = true
  let version = 0
  let query: LoggedQuery = {
    sql: '',
    schema: '',
    endPos: 0,
    sqlMode: 0,
    version,
    databases: null,
  }
  let lastPacketAt = performance.now()

  const stop = () => {
    isOver = true
    over.resolve()
  }
  const fail = (error: unknown) => {
    if (isOver) return
    isOver = true
    over.reject(toDumpError(error))
  }
  /** Runs a handler until the dump is over; what it throws ends the dump. */
  const guarded =
    <Args extends readonly unknown[]>(handle: (...args: Args) => void) =>
    (...args: Args) => {
      if (isOver) return
      try {
        handle(...args)
      } catch (error) {
        fail(error)
      }
    }
  /** What the socket has already delivered still arrives after it was paused. */
  const add = (item: BinlogItem) => {
    room = sink.add(item)
    if (item.kind === 'change') changesInTurn += 1
    if (!isPaused && (room || changesInTurn >= CHANGES_A_TURN)) void pause()
  }
  const pause = async () => {
    isPaused = true
    zongji.connection?.pause()
    await yieldToEventLoop()
    await room
    isPaused = false
    changesInTurn = 0
    lastPacketAt = performance.now()
    if (!isOver) zongji.connection?.resume()
  }

  const { decode, decodeRows, partialRows, rotate, statement } = createBinlogDecoder({
    reader: createTransactionReader({ add }, { from, published, database, cover, effects }),
    database,
    decodingOf: options.decodingOf,
    hasChecksum: () => hasChecksum,
    committedAt: () => commitTime,
    query: () => query,
  })
  const observe = guarded((packet: RawPacket) => {
    const { eventType, isEnd, committedAt } = readBinlogPacket(packet)
    if (isGtidEvent(eventType)) commitTime = committedAt
    version = readServerVersion(packet, eventType) ?? version
    if (isQueryEvent(eventType)) {
      query = readQueryEvent(packet, eventType, { version, hasChecksum })
    }
    if (isLoadQueryEvent(eventType)) statement(query)
    if (isEnd) throw ended('MySQL ended the binlog dump')
    if (eventType === INCIDENT_EVENT) {
      throw new OperatorError(
        `the server logged an incident: its binlog may lack changes; ${MOVE_ON}`,
      )
    }
    hasChecksum = readChecksumSetting(eventType, packet) ?? hasChecksum
    zongji.useChecksum = hasChecksum
    if (eventType === ROTATE_EVENT) rotate(readNextFile(packet, hasChecksum))
  })

  const isServer = (error: unknown, rows: unknown) => {
    if (error) return fail(error)
    const found = Array.isArray(rows) ? String(rows[0]?.id).toLowerCase() : ''
    if (found !== serverId) fail(ended(`${found} answers, and not ${serverId}`))
  }

  zongji.on('error', fail)
  zongji.on('binlog', guarded(decode))
  zongji.on('ready', () => {
    if (!zongji.connection) return
    watchPackets(zongji.connection, {
      arrived: () => {
        lastPacketAt = performance.now()
      },
      observe,
      rows: guarded(decodeRows),
      partialRows: guarded(partialRows),
      hasChecksum: () => hasChecksum,
      fail,
    })
  })
  const watchdog = setInterval(() => {
    if (isPaused) lastPacketAt = performance.now()
    else if (performance.now() - lastPacketAt > silenceMs) fail(ended('MySQL fell silent'))
  }, silenceMs / 4)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()

  try {
    zongji.start({
      // Any number that no replica of this server has; a dump under the same one would end ours.
      serverId: 2 ** 31 + Math.floor(Math.random() * 2 ** 30),
      gtidSet: seen,
      includeEvents: DECODED_EVENTS,
      includeSchema: { [database]: [...capturedTables] },
    })
    // Queued ahead of the dump command, as all that follows.
    zongji.connection?.query(SERVER_SQL, isServer)
    zongji.ctrlConnection?.query(SERVER_SQL, isServer)
    // The two names are those before and since MySQL 8.0.26.
    const period = heartbeatMs * 1_000_000
    zongji.connection?.query(
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
      (error) => error && fail(error),
    )
    // Each file's first event says whether the rest has checksums: `binlog_checksum` may change at any time.
    zongji.connection?.query(
      "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'",
      (error) => error && fail(error),
    )
    zongji.ctrlConnection?.query(
      `SET SESSION wait_timeout = ${WAIT_TIMEOUT_SECONDS}`,
      (error) => error && fail(error),
    )
    await over.promise
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(watchdog)
    await new Promise<void>((resolve) => {
      zongji.once('stopped', resolve)
      zongji.stop()
    })
  }
}

function ended(why: string): SnsError {
  return storeUnavailable('mysql', new Error(why))
}
