/** What a raw packet of a binlog dump says beyond the events that the reader decodes. */
export interface BinlogPacket {
  /** Null where the packet carries no event (the end of the stream, an error). */
  readonly eventType: number | null
  readonly isEnd: boolean
  /** Unix milliseconds of the commit, from a GTID event; null on all others. */
  readonly committedAt: number | null
}

/** The driver's packet: payload after a header of four bytes. */
export interface RawPacket {
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
