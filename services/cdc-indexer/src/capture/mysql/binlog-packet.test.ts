import { expect, test } from 'bun:test'
import { INCIDENT_EVENT, isGtidEvent, readBinlogPacket } from './binlog-packet'

/** A packet at an offset of its buffer, as the driver hands it over. */
function packet(eventType: number, body: Uint8Array) {
  const start = 7
  const buffer = Buffer.alloc(start + 4 + 1 + 19 + body.length)
  buffer[start + 4 + 5] = eventType
  buffer.set(body, start + 4 + 1 + 19)
  return { buffer, start, end: buffer.length }
}

function gtidBody(micros: bigint, clockType = 2): Buffer {
  const body = Buffer.alloc(60)
  body[25] = clockType
  for (let i = 0; i < 7; i++) body[42 + i] = Number((micros >> BigInt(8 * i)) & 0xffn)
  return body
}

test('reads the commit time of a GTID event to the microsecond, whatever its flag bit', () => {
  const at = 1_795_421_234_567_891
  const micros = BigInt(at)
  expect(readBinlogPacket(packet(33, gtidBody(micros))).committedAt).toBe(at)
  expect(readBinlogPacket(packet(33, gtidBody(micros | (1n << 55n)))).committedAt).toBe(at)
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
