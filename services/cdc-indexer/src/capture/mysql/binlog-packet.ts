import { OperatorError } from '@sns/shared/errors/operator-error'
import { ByteCursor } from './values/byte-cursor'
import { DELETE_ROWS_EVENT, UPDATE_ROWS_EVENT, WRITE_ROWS_EVENT } from './values/rows-event'
import { type ByteReader, createPlainReader, createZstdReader } from './zstd-reader'

/** What becomes of the packets of a dump beside the driver's decoding. */
export interface PacketWatch {
  /** Something came from the server. */
  arrived(): void
  /** Each packet, in order, before the driver has it. */
  observe(packet: RawPacket): void
  /**
   * Each packet of table maps and rows, once the driver has passed it over. Whoever is given rows may pause the
   * connection: what the driver has not had by then comes again.
   */
  rows(eventType: number, packet: RawPacket): void
  /** An update of a table with parts of columns only, which the driver cannot read; it is passed over. */
  partialRows(tableId: number): void
  /** Whether events end in a checksum. */
  hasChecksum(): boolean
  fail(error: unknown): void
}

/** The driver hands every packet to this method; what it holds back while paused comes again. */
interface PacketHandler {
  handlePacket: (packet: DriverPacket | undefined) => void
  readonly _paused?: boolean
  readonly _paused_packets: DriverPacket[]
}

/** The driver's packet: payload after a header of four bytes. */
export interface RawPacket {
  readonly buffer: Uint8Array
  readonly start: number
  readonly end: number
}

interface DriverPacket extends RawPacket {
  readonly sequenceId: number
  /** By how much it moves the sequence on. */
  readonly numPackets: number
  clone(): DriverPacket
}

/**
 * Watches the packets of a connection, and does what its driver cannot: a compressed transaction is handed to
 * it event by event, and partial updates are passed over.
 */
export function watchPackets(driver: object, watch: PacketWatch): void {
  const connection = packetHandler(driver)
  const handle = connection.handlePacket.bind(connection)
  /** Compressed transactions that were begun when the connection was paused. */
  const begun = new WeakMap<DriverPacket, Iterator<DriverPacket>>()

  /** Hands over what is inside until the connection is paused; then the rest waits its turn, first of all. */
  function unpack(packet: DriverPacket, inside: Iterator<DriverPacket>): void {
    for (let next = inside.next(); !next.done; next = inside.next()) {
      receive(next.value)
      if (!connection._paused) continue
      begun.set(packet, inside)
      connection._paused_packets.unshift(packet)
      return
    }
  }

  function receive(packet: DriverPacket): void {
    watch.observe(packet)
    const { eventType } = readBinlogPacket(packet)
    if (eventType === TRANSACTION_PAYLOAD_EVENT) {
      // The driver uses its packet again for the next one.
      const kept = Object.assign(packet.clone(), { numPackets: packet.numPackets })
      unpack(kept, packetsInside(kept, watch.hasChecksum()))
      return
    }
    if (eventType === PARTIAL_UPDATE_ROWS_EVENT) {
      watch.partialRows(bytesOf(packet).readUIntLE(bodyOf(packet), TABLE_ID_BYTES))
      packet.buffer[packet.start + HEADER + EVENT_TYPE] = UNKNOWN_EVENT
    }
    handle(packet)
    if (eventType !== null && ROW_EVENTS.has(eventType)) watch.rows(eventType, packet)
  }

  connection.handlePacket = (packet) => {
    watch.arrived()
    if (!packet || connection._paused) return handle(packet)
    try {
      const inside = begun.get(packet)
      if (inside) unpack(packet, inside)
      else receive(packet)
    } catch (error) {
      watch.fail(error)
    }
  }
}

function packetHandler(connection: object): PacketHandler {
  if (hasPackets(connection)) return connection
  throw new OperatorError('this version of mysql2 hides its packets; use the one in bun.lock')
}

function hasPackets(connection: object): connection is PacketHandler {
  return (
    'handlePacket' in connection &&
    typeof connection.handlePacket === 'function' &&
    '_paused_packets' in connection
  )
}

/** What a raw packet of a binlog dump says beyond the events that the reader decodes. */
interface BinlogPacket {
  /** Null where the packet carries no event (the end of the stream, an error). */
  readonly eventType: number | null
  readonly isEnd: boolean
  /** Unix microseconds of the first commit, on whichever server, from a GTID event; null on all others. */
  readonly committedAt: number | null
}

export const INCIDENT_EVENT = 26
const UNKNOWN_EVENT = 0
export const ROTATE_EVENT = 4
const FORMAT_DESCRIPTION_EVENT = 15
export const TABLE_MAP_EVENT = 19
const ROW_EVENTS: ReadonlySet<number> = new Set([
  TABLE_MAP_EVENT,
  WRITE_ROWS_EVENT,
  UPDATE_ROWS_EVENT,
  DELETE_ROWS_EVENT,
])
const PARTIAL_UPDATE_ROWS_EVENT = 39
const TRANSACTION_PAYLOAD_EVENT = 40
const GTID_EVENT = 33
const TAGGED_GTID_EVENT = 42
const LOGICAL_TIMESTAMP = 2
const TABLE_ID_BYTES = 6

const HEADER = 4
const EVENT_HEADER = 19
/** In a packet's payload, whose first byte is a marker. */
const EVENT_TYPE = 5
/** In a GTID event's body: flags 1, source 16, number 8, then the logical clock's type. */
const CLOCK_TYPE = 25
/** After the clock's type: last committed 8, sequence 8. */
const COMMIT_TIME = 42
const COMMIT_TIME_BYTES = 7
/** The top bit of the commit time: that of the first commit, on another server, stands behind it. */
const IS_REPLICATED = 0x80

const NO_EVENT: BinlogPacket = { eventType: null, isEnd: false, committedAt: null }
const END: BinlogPacket = { eventType: null, isEnd: true, committedAt: null }

export function isGtidEvent(eventType: number | null): boolean {
  return eventType === GTID_EVENT || eventType === TAGGED_GTID_EVENT
}

/**
 * Layouts: MySQL 9 source documentation, "Binlog Event Header" and `Gtid_event`. Each commit time has seven bytes of
 * microseconds: the server's own (`immediate_commit_timestamp`), and behind it, where that is another, that of the
 * server where the transaction was committed first (`original_commit_timestamp`), which all logs agree on.
 */
export function readBinlogPacket({ buffer, start, end }: RawPacket): BinlogPacket {
  const payload = start + HEADER
  const marker = buffer[payload]
  if (marker === 0xfe && end - payload < 9) return END
  if (marker !== 0 || end - payload < 1 + EVENT_HEADER) return NO_EVENT
  const eventType = buffer[payload + EVENT_TYPE] ?? 0
  const body = payload + 1 + EVENT_HEADER
  const none = { eventType, isEnd: false, committedAt: null }
  const own = body + COMMIT_TIME
  if (eventType !== GTID_EVENT || end < own + COMMIT_TIME_BYTES) return none
  if (buffer[body + CLOCK_TYPE] !== LOGICAL_TIMESTAMP) return none
  const top = own + COMMIT_TIME_BYTES - 1
  const isReplicated = ((buffer[top] ?? 0) & IS_REPLICATED) !== 0
  const first = isReplicated ? own + COMMIT_TIME_BYTES : own
  if (end < first + COMMIT_TIME_BYTES) return none
  let micros = 0
  for (let i = COMMIT_TIME_BYTES - 1; i >= 0; i--) {
    const byte = buffer[first + i] ?? 0
    micros = micros * 256 + (i === COMMIT_TIME_BYTES - 1 ? byte & ~IS_REPLICATED : byte)
  }
  return { ...none, committedAt: micros > 0 ? micros : null }
}

function bodyOf({ start }: RawPacket): number {
  return start + HEADER + 1 + EVENT_HEADER
}

/** What is in an event behind its header, up to its checksum. */
export function bodyCursor(packet: RawPacket, hasChecksum: boolean): ByteCursor {
  const end = packet.end - (hasChecksum ? CHECKSUM : 0)
  return new ByteCursor(bytesOf(packet), bodyOf(packet), end)
}

/** Where an event stands in its file. Of those in a compressed transaction only the end is known, and that is its own. */
export function eventStart(packet: RawPacket): number {
  const bytes = bytesOf(packet)
  const header = packet.start + HEADER + 1
  const length = bytes.readUInt32LE(header + EVENT_LENGTH)
  return Math.max(0, bytes.readUInt32LE(header + NEXT_POSITION) - length)
}

/** The file that a ROTATE event leads to. The driver takes a checksum from its name, or for a part of it. */
export function readNextFile(packet: RawPacket, hasChecksum: boolean): string {
  const body = bodyCursor(packet, hasChecksum)
  body.take(POSITION_BYTES)
  return body.slice(body.end - body.at).toString()
}

/**
 * Whether the events behind a FORMAT_DESCRIPTION event, which begins each file, end in a checksum; null where it is
 * another event. It has one itself in any case, and before that the kind: 0 is none.
 */
export function readChecksumSetting(eventType: number | null, packet: RawPacket): boolean | null {
  if (eventType !== FORMAT_DESCRIPTION_EVENT) return null
  return bytesOf(packet).readUInt8(packet.end - CHECKSUM - 1) !== 0
}

/** Fields of a `Transaction_payload_event`: each a type, a length and a value, all packed integers. */
const FIELD = { end: 0, compression: 2 } as const
const COMPRESSION = { zstd: 0, none: 255 } as const
const CHECKSUM = 4
const POSITION_BYTES = 8

/**
 * The events in a compressed transaction, each in a packet as the server would have sent it alone, unpacked as they
 * are asked for: beside the packet it holds one event and a step of unpacking, however large the transaction.
 * Layouts: MySQL 9 source documentation, "Transaction_payload_event". Throws a `RangeError` where it is damaged.
 */
export function* packetsInside(
  packet: DriverPacket,
  hasChecksum: boolean,
): Generator<DriverPacket> {
  const bytes = bytesOf(packet)
  const checksum = hasChecksum ? CHECKSUM : 0
  const endOfEvent = packet.end - checksum
  let at = bodyOf(packet)
  let compression: number = COMPRESSION.zstd
  for (;;) {
    const type = readPacked(bytes, at)
    at = type.next
    if (type.value === FIELD.end) break
    const length = readPacked(bytes, at)
    if (type.value === FIELD.compression) compression = readPacked(bytes, length.next).value
    at = length.next + length.value
    if (at > endOfEvent) throw new RangeError('a compressed transaction is cut off')
  }
  const nextPosition = bytes.readUInt32LE(packet.start + HEADER + 1 + NEXT_POSITION)
  const events = unpacked(bytes.subarray(at, endOfEvent), compression)
  try {
    // The first one moves the driver's sequence on, as the packet it came in would have.
    let { sequenceId, numPackets } = packet
    const header = Buffer.alloc(EVENT_HEADER)
    for (let has = events.read(header); has > 0; has = events.read(header)) {
      const size = has === EVENT_HEADER ? header.readUInt32LE(EVENT_LENGTH) : 0
      if (size < EVENT_HEADER) throw cutOff()
      const buffer = Buffer.alloc(HEADER + 1 + size + checksum)
      buffer.set(header, HEADER + 1)
      const rest = buffer.subarray(HEADER + 1 + EVENT_HEADER, buffer.length - checksum)
      if (events.read(rest) < rest.length) throw cutOff()
      buffer.writeUInt32LE(size + checksum, HEADER + 1 + EVENT_LENGTH)
      buffer.writeUInt32LE(nextPosition, HEADER + 1 + NEXT_POSITION)
      const place = { buffer, start: 0, end: buffer.length, offset: HEADER }
      yield Object.assign(packet.clone(), place, { sequenceId, numPackets })
      sequenceId = (sequenceId + numPackets) % 256
      numPackets = 0
    }
  } finally {
    events.close()
  }
}

function cutOff(): RangeError {
  return new RangeError('an event in a compressed transaction is cut off')
}

/** In an event's header: its length and where the next one begins. */
const EVENT_LENGTH = 9
const NEXT_POSITION = 13

function bytesOf({ buffer }: RawPacket): Buffer {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length)
}

function unpacked(payload: Buffer, compression: number): ByteReader {
  if (compression === COMPRESSION.none) return createPlainReader(payload)
  if (compression === COMPRESSION.zstd) return createZstdReader(payload)
  throw new RangeError(`a transaction is compressed by method ${compression}`)
}

/** MySQL's packed integer: one byte up to 250, else a byte that says how many follow. */
function readPacked(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  const first = bytes.readUInt8(at)
  if (first <= 250) return { value: first, next: at + 1 }
  const width = first === 252 ? 2 : first === 253 ? 3 : 8
  const value =
    width === 8 ? Number(bytes.readBigUInt64LE(at + 1)) : bytes.readUIntLE(at + 1, width)
  return { value, next: at + 1 + width }
}
