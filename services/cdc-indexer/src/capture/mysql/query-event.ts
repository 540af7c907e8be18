import type { RawPacket } from './binlog-packet'
import type { StatementContext } from './binlog-statement'

/** A statement as the binlog has it, with what its session had set. */
export interface LoggedQuery extends StatementContext {
  readonly sql: string
  readonly schema: string
  /** Where the event ends in the file. */
  readonly endPos: number
}

/** Types of events. */
const QUERY_EVENT = 2
const FORMAT_DESCRIPTION_EVENT = 15
/** `LOAD DATA` of a session that logs statements. */
const EXECUTE_LOAD_QUERY_EVENT = 18

export function isQueryEvent(eventType: number | null): boolean {
  return eventType === QUERY_EVENT || eventType === EXECUTE_LOAD_QUERY_EVENT
}

/** Whether it is a query that the driver passes over. */
export function isLoadQueryEvent(eventType: number | null): boolean {
  return eventType === EXECUTE_LOAD_QUERY_EVENT
}

/** In a packet's header 4, its marker 1 and the event's header. */
const NEXT_POSITION = 18
/** A packet's header 4, its marker 1, the event's header 19. */
const BODY = 24
/** Thread 4, execution time 4, length of the schema 1, error 2, length of the status variables 2. */
const SCHEMA_LENGTH = 8
const STATUS_LENGTH = 11
const POST_HEADER = 13
/** Behind that, in an `Execute_load_query` event: file 4, start 4, end 4, what becomes of duplicates 1. */
const LOAD_POST_HEADER = 13
const CHECKSUM = 4

/** The version of the server that writes the events behind this one, 90704 for 9.7.4; null in events of other types. */
export function readServerVersion(
  { buffer, start, end }: RawPacket,
  eventType: number | null,
): number | null {
  if (eventType !== FORMAT_DESCRIPTION_EVENT) return null
  const at = start + BODY + 2
  const text = latin1(buffer.subarray(at, Math.min(end, at + 50)))
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return Number(major ?? 0) * 10_000 + Number(minor ?? 0) * 100 + Number(patch ?? 0)
}

/** Layouts: MySQL 9 source documentation, "Query_event" and "Execute_load_query_event". */
export function readQueryEvent(
  { buffer, start, end }: RawPacket,
  eventType: number | null,
  { version, hasChecksum }: { readonly version: number; readonly hasChecksum: boolean },
): LoggedQuery {
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length)
  const body = start + BODY
  const schemaLength = bytes.readUInt8(body + SCHEMA_LENGTH)
  const statusLength = bytes.readUInt16LE(body + STATUS_LENGTH)
  const status = body + POST_HEADER + (isLoadQueryEvent(eventType) ? LOAD_POST_HEADER : 0)
  const schema = status + statusLength
  const sql = schema + schemaLength + 1
  const { sqlMode, client, databases } = readStatus(bytes.subarray(status, schema))
  return {
    sql: decode(bytes.subarray(sql, end - (hasChecksum ? CHECKSUM : 0)), client),
    schema: bytes.toString('utf8', schema, schema + schemaLength),
    sqlMode,
    version,
    databases,
    endPos: bytes.readUInt32LE(start + NEXT_POSITION),
  }
}

interface Status {
  sqlMode: number
  /** The collation of what the client sent. */
  client: number
  databases: readonly string[] | null
}

const STATUS = { sqlMode: 1, charset: 4, databases: 12 } as const
/** Lengths of status variables that are not read, each behind its code. */
const FIXED: Readonly<Record<number, number>> = {
  0: 4,
  3: 4,
  7: 2,
  8: 2,
  9: 8,
  10: 4,
  13: 3,
  16: 1,
  17: 8,
  18: 2,
  19: 1,
  20: 1,
}
/** Status variables that are texts, by how many of them come together. */
const TEXTS: Readonly<Record<number, number>> = { 5: 1, 6: 1, 11: 2 }
const TOO_MANY_DATABASES = 254

function readStatus(bytes: Buffer): Status {
  const status: Status = { sqlMode: 0, client: 0, databases: null }
  for (let at = 0; at < bytes.length; ) {
    const code = bytes.readUInt8(at)
    at += 1
    if (code === STATUS.sqlMode) {
      status.sqlMode = bytes.readUInt32LE(at)
      at += 8
    } else if (code === STATUS.charset) {
      status.client = bytes.readUInt16LE(at)
      at += 6
    } else if (code === STATUS.databases) {
      const count = bytes.readUInt8(at)
      at += 1
      if (count === TOO_MANY_DATABASES) continue
      const names: string[] = []
      for (let n = 0; n < count; n++) {
        const end = bytes.indexOf(0, at)
        names.push(bytes.toString('utf8', at, end))
        at = end + 1
      }
      status.databases = names
    } else if (TEXTS[code] !== undefined) {
      for (let n = 0; n < TEXTS[code]; n++) at += 1 + bytes.readUInt8(at)
    } else if (FIXED[code] !== undefined) {
      at += FIXED[code]
    } else {
      // What a later server adds comes behind what is read here.
      break
    }
  }
  return status
}

const LATIN1 = new Set([5, 8, 15, 31, 47, 48, 49, 94])
/** big5, gbk and gb18030. */
const TWO_BYTES = new Set([1, 84, 28, 87, 248, 249, 250])
/** sjis and cp932, which have signs of one byte among the first bytes of others. */
const JAPANESE = new Set([13, 88, 95, 96])

/** The text; of charsets whose second bytes may look like a quote's escape, with those signs masked. */
function decode(bytes: Buffer, collation: number): string {
  if (LATIN1.has(collation)) return latin1(bytes)
  const isJapanese = JAPANESE.has(collation)
  if (!isJapanese && !TWO_BYTES.has(collation)) return bytes.toString('utf8')
  const masked = Buffer.from(bytes)
  for (let at = 0; at < masked.length; at++) {
    const byte = masked[at] ?? 0
    const isSingle = byte < 0x81 || (isJapanese && byte >= 0xa0 && byte < 0xe0)
    if (isSingle) continue
    masked.fill('?', at, at + 2)
    at += 1
  }
  return latin1(masked)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
