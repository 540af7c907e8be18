import { OperatorError } from '@sns/shared/errors/operator-error'
import { type SnsError, storeUnavailable } from '@sns/shared/errors/sns-error'
import { capturedTables } from '@sns/shared/events/tables'
import ZongJi from '@vlasky/zongji'
import type { BinlogItem, BinlogPosition, BinlogSink } from '../ports/binlog-source'
import { MOVE_ON } from '../ports/checkpoint-store'
import { createBinlogDecoder, DECODED_EVENTS } from './binlog-decoder'
import { createTransactionReader } from './binlog-transactions'
import { toDumpError } from './errors'
import { MYSQL_CONNECT_TIMEOUT_MS, type MysqlServer } from './session'

interface BinlogDumpOptions {
  readonly server: MysqlServer
  readonly serverId: string
  readonly from: BinlogPosition
  readonly epoch: number
  /** How often an idle server says that it is alive. */
  readonly heartbeatMs: number
  /** A connection counts as dead after this much silence, unless it is paused. */
  readonly silenceMs: number
}

const WAIT_TIMEOUT_SECONDS = 31_536_000

/**
 * One dump of the binlog into the sink over two connections of its own, from a position until the
 * signal aborts. The server sends heartbeats, so that a hung one is told from an idle one.
 */
export async function dumpBinlog(
  options: BinlogDumpOptions,
  sink: BinlogSink,
  signal: AbortSignal,
): Promise<void> {
  const { server, from, serverId, epoch, heartbeatMs, silenceMs } = options
  const { host, port, user, password, database } = server
  const zongji = new ZongJi({
    host,
    port,
    user,
    password,
    connectTimeout: MYSQL_CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    connectAttributes: { program_name: 'sns-capture', captured_database: database },
  })
  const over = Promise.withResolvers<void>()
  over.promise.catch(() => {})
  let isOver = false
  let isPaused = false
  let commitTime: number | null = null
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
    const room = sink.add(item)
    if (!room || isPaused) return
    isPaused = true
    zongji.connection?.pause()
    room.then(() => {
      isPaused = false
      lastPacketAt = performance.now()
      if (!isOver) zongji.connection?.resume()
    })
  }

  const decode = createBinlogDecoder({
    reader: createTransactionReader({ add }, { from, database, serverId, epoch }),
    hasChecksum: () => zongji.useChecksum,
    committedAt: () => commitTime,
  })
  const observe = guarded((packet: RawPacket) => {
    lastPacketAt = performance.now()
    const { eventType, isEnd, committedAt } = readBinlogPacket(packet)
    if (isGtidEvent(eventType)) commitTime = committedAt
    if (isEnd) throw ended('MySQL ended the binlog dump')
    if (eventType === INCIDENT_EVENT) {
      throw new OperatorError(
        `the server logged an incident: its binlog may lack changes; ${MOVE_ON}`,
      )
    }
  })

  zongji.on('error', fail)
  zongji.on('binlog', guarded(decode))
  zongji.on('ready', () => {
    if (zongji.connection) watchPackets(zongji.connection, observe)
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
      gtidSet: from.gtidSet,
      includeEvents: DECODED_EVENTS,
      includeSchema: { [database]: [...capturedTables] },
    })
    // Queued ahead of the dump command. The two names are those before and since MySQL 8.0.26.
    const period = heartbeatMs * 1_000_000
    zongji.connection?.query(
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
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

/** The driver hands every packet to this method; it is not among its declared types. */
interface PacketHandler {
  handlePacket: (packet: RawPacket | undefined) => void
}

function watchPackets(connection: object, observe: (packet: RawPacket) => void): void {
  if (!hasPackets(connection)) {
    throw new OperatorError('this version of mysql2 hides its packets; use the one in bun.lock')
  }
  const handle = connection.handlePacket.bind(connection)
  connection.handlePacket = (packet) => {
    if (packet) observe(packet)
    handle(packet)
  }
}

function hasPackets(connection: object): connection is PacketHandler {
  return 'handlePacket' in connection && typeof connection.handlePacket === 'function'
}

/** What a raw packet of a binlog dump says beyond the events that the reader decodes. */
interface BinlogPacket {
  /** Null where the packet carries no event (the end of the stream, an error). */
  readonly eventType: number | null
  readonly isEnd: boolean
  /** Unix milliseconds of the commit, from a GTID event; null on all others. */
  readonly committedAt: number | null
}

/** The driver's packet: payload after a header of four bytes. */
interface RawPacket {
  readonly buffer: Uint8Array
  readonly start: number
  readonly end: number
}

export const INCIDENT_EVENT = 26
const GTID_EVENT = 33
const TAGGED_GTID_EVENT = 42
const LOGICAL_TIMESTAMP = 2

const HEADER = 4
const EVENT_HEADER = 19
/** In a GTID event's body: flags 1, source 16, number 8, then the logical clock's type. */
const CLOCK_TYPE = 25
/** After the clock's type: last committed 8, sequence 8. */
const COMMIT_TIME = 42

const NO_EVENT: BinlogPacket = { eventType: null, isEnd: false, committedAt: null }
const END: BinlogPacket = { eventType: null, isEnd: true, committedAt: null }

export function isGtidEvent(eventType: number | null): boolean {
  return eventType === GTID_EVENT || eventType === TAGGED_GTID_EVENT
}

/**
 * Layouts: MySQL 9 source documentation, "Binlog Event Header" and `Gtid_event`. The commit time is
 * the server's `immediate_commit_timestamp`: seven bytes, microseconds, the top bit a flag.
 */
export function readBinlogPacket({ buffer, start, end }: RawPacket): BinlogPacket {
  const payload = start + HEADER
  const marker = buffer[payload]
  if (marker === 0xfe && end - payload < 9) return END
  if (marker !== 0 || end - payload < 1 + EVENT_HEADER) return NO_EVENT
  const eventType = buffer[payload + 5] ?? 0
  const body = payload + 1 + EVENT_HEADER
  if (eventType !== GTID_EVENT || end < body + COMMIT_TIME + 7) {
    return { eventType, isEnd: false, committedAt: null }
  }
  if (buffer[body + CLOCK_TYPE] !== LOGICAL_TIMESTAMP) {
    return { eventType, isEnd: false, committedAt: null }
  }
  let micros = 0
  for (let i = 6; i >= 0; i--) {
    const byte = buffer[body + COMMIT_TIME + i] ?? 0
    micros = micros * 256 + (i === 6 ? byte & 0x7f : byte)
  }
  return { eventType, isEnd: false, committedAt: micros > 0 ? Math.floor(micros / 1000) : null }
}
