import { describe, expect, test } from 'bun:test'
import { zstdCompressSync } from 'node:zlib'
import { OperatorError } from '@sns/shared/errors/operator-error'
import {
  INCIDENT_EVENT,
  isGtidEvent,
  packetsInside,
  readBinlogPacket,
  watchPackets,
} from './binlog-packet'
import { toDumpError } from './errors'

/** A packet at an offset of its buffer, as the driver hands it over. */
function packet(eventType: number, body: Uint8Array) {
  const start = 7
  const buffer = Buffer.alloc(start + 4 + 1 + 19 + body.length)
  buffer[start + 4 + 5] = eventType
  buffer.set(body, start + 4 + 1 + 19)
  return { buffer, start, end: buffer.length }
}

type Packet = Parameters<typeof packetsInside>[0]

/** As the driver has it, which can be copied. */
function driverPacket(made: Omit<Packet, 'clone'>): Packet {
  return { ...made, clone: () => driverPacket(made) }
}

function gtidBody(micros: bigint, clockType = 2): Buffer {
  const body = Buffer.alloc(70)
  body[25] = clockType
  for (let i = 0; i < 7; i++) body[42 + i] = Number((micros >> BigInt(8 * i)) & 0xffn)
  return body
}

test('reads the time of the first commit from a GTID event to the microsecond, also of a replicated one', () => {
  const at = 1_795_421_234_567_891
  const micros = BigInt(at)
  expect(readBinlogPacket(packet(33, gtidBody(micros))).committedAt).toBe(at)
  const replicated = gtidBody((micros + 5_000n) | (1n << 55n))
  gtidBody(micros).copy(replicated, 49, 42, 49)
  expect(readBinlogPacket(packet(33, replicated)).committedAt).toBe(at)
  expect(readBinlogPacket(packet(33, gtidBody(micros, 0))).committedAt).toBeNull()
  expect(readBinlogPacket(packet(33, Buffer.alloc(25))).committedAt).toBeNull()
})

test('tells events from the end of the dump', () => {
  const { eventType } = readBinlogPacket(packet(INCIDENT_EVENT, Buffer.alloc(4)))
  expect(eventType).toBe(INCIDENT_EVENT)
  expect([33, 42, 2, null].map(isGtidEvent)).toEqual([true, true, false, false])
  const eof = Buffer.from([5, 0, 0, 1, 0xfe, 0, 0, 2, 0])
  expect(readBinlogPacket({ buffer: eof, start: 0, end: eof.length }).isEnd).toBe(true)
  const error = Buffer.from([9, 0, 0, 1, 0xff, 1, 2, 3, 4])
  expect(readBinlogPacket({ buffer: error, start: 0, end: error.length })).toMatchObject({
    isEnd: false,
    eventType: null,
  })
})

describe('a compressed transaction', () => {
  const TYPE_AT = 4
  const LENGTH_AT = 9
  const CHECKSUM = Buffer.from([1, 2, 3, 4])

  function event(type: number, body: string): Buffer {
    const bytes = Buffer.alloc(19 + Buffer.byteLength(body))
    bytes[TYPE_AT] = type
    bytes.writeUInt32LE(bytes.length, LENGTH_AT)
    bytes.write(body, 19)
    return bytes
  }

  /** The driver's packet with a payload event in it; `fields` come before its end mark. */
  function payload(fields: readonly number[], content: Buffer, sequenceId = 254) {
    const body = Buffer.concat([Buffer.from([...fields, 0]), content, CHECKSUM])
    const { buffer, start, end } = packet(40, body)
    buffer.writeUInt32LE(4_711, start + 4 + 1 + 13)
    return driverPacket({ buffer, start, end, sequenceId, numPackets: 3 })
  }

  const events = [event(2, 'BEGIN'), event(30, 'rows'), event(16, 'xid')]
  const ZSTD = [2, 1, 0]

  test('is the events in it, each as it would have come alone', () => {
    const packed = payload([...ZSTD, 3, 3, 252, 60, 0], zstdCompressSync(Buffer.concat(events)))
    const inside = [...packetsInside(packed, true)]
    expect(inside.map((each) => readBinlogPacket(each).eventType)).toEqual([2, 30, 16])
    for (const [at, { buffer, start, end }] of inside.entries()) {
      const bytes = Buffer.from(buffer).subarray(start + 4 + 1, end)
      expect(bytes.length).toBe((events[at]?.length ?? 0) + CHECKSUM.length)
      expect(bytes.readUInt32LE(LENGTH_AT)).toBe(bytes.length)
      expect(bytes.readUInt32LE(13)).toBe(4_711)
      expect(String(bytes.subarray(19, -CHECKSUM.length))).toBe(String(events[at]?.subarray(19)))
    }
    // The first one counts for the packet that they came in, of which there were three.
    expect(inside.map(({ sequenceId, numPackets }) => [sequenceId, numPackets])).toEqual([
      [254, 3],
      [1, 0],
      [1, 0],
    ])
  })

  test('is unpacked as it is read: of 256 MiB a few are held at a time', () => {
    const rows = Buffer.alloc(19 + 2 ** 20, 'row after row ')
    rows[TYPE_AT] = 30
    rows.writeUInt32LE(rows.length, LENGTH_AT)
    const packer = zstdCompressSync(Buffer.concat([rows, rows, rows, rows]))
    // Frames may follow each other, so the whole need not exist here either.
    const packed = payload(ZSTD, Buffer.concat(Array.from({ length: 64 }, () => packer)))
    Bun.gc(true)
    const before = process.memoryUsage().rss
    let [events, bytes, most] = [0, 0, 0]
    for (const { start, end } of packetsInside(packed, true)) {
      events += 1
      bytes += end - start
      if (events % 16 === 0) Bun.gc(true)
      most = Math.max(most, process.memoryUsage().rss - before)
    }
    expect(events).toBe(256)
    expect(bytes).toBeGreaterThan(256 * 2 ** 20)
    expect(most).toBeLessThan(64 * 2 ** 20)
  })

  test('may be stored as it is', () => {
    const inside = [...packetsInside(payload([2, 3, 252, 255, 0], Buffer.concat(events)), true)]
    expect(inside).toHaveLength(3)
  })

  test.each([
    ['is no zstd', () => payload(ZSTD, Buffer.from('nonsense'))],
    ['is compressed in a way we do not know', () => payload([2, 1, 7], Buffer.concat(events))],
    [
      'has an event that is cut off',
      () => payload([2, 3, 252, 255, 0], events[1]!.subarray(0, -1)),
    ],
    ['has a field that reaches past its end', () => payload([9, 250], Buffer.alloc(2))],
  ])('that %s is refused as one that cannot be decoded', (_, damaged) => {
    let problem: unknown = null
    try {
      for (const _each of packetsInside(damaged(), true));
    } catch (error) {
      problem = error
    }
    expect(problem).toBeInstanceOf(RangeError)
    expect(toDumpError(problem)).toBeInstanceOf(OperatorError)
  })

  test('is handed over before what came later, however often the reader is slow', () => {
    /** Takes one packet, then pauses, as the driver does for a reader that has enough. */
    const connection = {
      _paused: false,
      _paused_packets: [] as ReturnType<typeof payload>[],
      handed: [] as (number | null)[],
      handlePacket(packet: Packet) {
        if (this._paused) return void this._paused_packets.push(packet.clone())
        this.handed.push(readBinlogPacket(packet).eventType)
        this._paused = true
      },
      resume() {
        this._paused = false
        const next = this._paused_packets.shift()
        if (next) this.handlePacket(next)
      },
    }
    const observed: (number | null)[] = []
    const rows: number[] = []
    watchPackets(connection, {
      arrived: () => {},
      rows: (eventType) => rows.push(eventType),
      observe: (packet) => observed.push(readBinlogPacket(packet).eventType),
      partialRows: () => {},
      hasChecksum: () => true,
      fail: (error) => expect().fail(String(error)),
    })
    connection.handlePacket(payload(ZSTD, zstdCompressSync(Buffer.concat(events))))
    connection.handlePacket(
      driverPacket({ ...packet(33, gtidBody(1n)), sequenceId: 3, numPackets: 1 }),
    )
    for (let i = 0; i < 5; i++) connection.resume()
    expect(connection.handed).toEqual([2, 30, 16, 33])
    expect(observed).toEqual([40, 2, 30, 16, 33])
    expect(rows).toEqual([30])
  })
})
