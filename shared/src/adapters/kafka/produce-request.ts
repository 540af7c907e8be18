import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { CompressionTypes, type IHeaders, type Message } from 'kafkajs'
import produce, { type ProduceInput } from 'kafkajs/src/protocol/requests/produce'

const compress = promisify(zstdCompress)
/** The fastest: envelopes repeat their column names, so it already shrinks them to about a fifth. */
const LEVEL = constants.ZSTD_c_compressionLevel
const OPTIONS = { params: { [LEVEL]: 1 } }

const API_KEY = 0
/** The first version that knows zstd (KIP-110). */
const API_VERSION = 7
const MAGIC = 2
const TRANSACTIONAL = 16
/** Of a batch, from its first offset to the end of its length. */
const LENGTH_END = 12
/** From where its checksum counts. */
const CHECKED_FROM = 21
const HEADER_BYTES = 61

let isInstalled = false

/**
 * Lets kafkajs 2.2.4 send records that are encoded here. Its own encoder makes several growing buffers for each record,
 * which was a third of what capture cost. The bytes are the same: record batches of magic 2, as Kafka's protocol guide
 * has them. All records of a batch get the time of the request.
 */
export function installProduceRequest(): void {
  if (isInstalled) return
  isInstalled = true
  const protocol = produce.protocol
  produce.protocol = ({ version }) => {
    const original = protocol({ version })
    if (version !== API_VERSION) return original
    return (input) => ({
      ...original(input),
      request: {
        apiKey: API_KEY,
        apiVersion: API_VERSION,
        apiName: 'Produce',
        expectResponse: () => input.acks !== 0,
        encode: async () => asEncoder(await encodeProduce(input)),
      },
    })
  }
}

/** What kafkajs takes for one of its encoders. */
function asEncoder(buffer: Buffer) {
  return { buf: buffer, buffer }
}

/** The body of a Produce request, version 7. */
export async function encodeProduce(input: ProduceInput, now = Date.now()): Promise<Buffer> {
  const { transactionalId, acks, timeout, topicData } = input
  const parts: Buffer[] = []
  const head = new Writer(64 + 3 * (transactionalId?.length ?? 0))
  if (transactionalId === undefined) head.int16(-1)
  else head.string(transactionalId)
  head.int16(acks)
  head.int32(timeout)
  head.int32(topicData.length)
  parts.push(head.bytes())
  for (const { topic, partitions } of topicData) {
    const named = new Writer(16 + 3 * topic.length)
    named.string(topic)
    named.int32(partitions.length)
    parts.push(named.bytes())
    // Side by side, since the runtime compresses in other threads.
    const encoded = await Promise.all(partitions.map((each) => encodePartition(input, each, now)))
    parts.push(...encoded.flat())
  }
  return Buffer.concat(parts)
}

type Partition = ProduceInput['topicData'][number]['partitions'][number]

/** A partition's place in the request, its batch's header with its checksum, and the records. */
async function encodePartition(
  { compression, transactionalId, producerId, producerEpoch }: ProduceInput,
  { partition, messages, firstSequence }: Partition,
  now: number,
): Promise<readonly Buffer[]> {
  const writer = scratches.pop() ?? new Writer(64 * 1024)
  writer.at = 0
  for (const [offset, message] of messages.entries()) writeRecord(writer, message, offset)
  const plain = writer.bytes()
  // A view of what the next batch will be written over, so it is copied or compressed.
  const records =
    compression === CompressionTypes.ZSTD ? await compress(plain, OPTIONS) : Buffer.from(plain)
  scratches.push(writer)
  const header = new Writer(HEADER_BYTES)
  header.int64(0n)
  header.int32(HEADER_BYTES - LENGTH_END + records.length)
  header.int32(0)
  header.int8(MAGIC)
  header.int32(0)
  header.int16(compression | (transactionalId === undefined ? 0 : TRANSACTIONAL))
  header.int32(messages.length - 1)
  header.int64(BigInt(now))
  header.int64(BigInt(now))
  header.int64(BigInt(producerId.toString()))
  header.int16(producerEpoch)
  header.int32(firstSequence)
  header.int32(messages.length)
  const batch = header.bytes()
  batch.writeUInt32BE(crc32c(records, crc32c(batch.subarray(CHECKED_FROM))), CHECKED_FROM - 4)
  const place = new Writer(8)
  place.int32(partition)
  place.int32(batch.length + records.length)
  return [place.bytes(), batch, records]
}

/** Buffers of batches that have been encoded, for the next ones. */
const scratches: Writer[] = []

function writeRecord(writer: Writer, { key, value, headers }: Message, offset: number): void {
  const [keySize, valueSize] = [sizeOf(key), sizeOf(value)]
  const named = headers === undefined ? [] : flatten(headers)
  let size = 2 + varintSize(offset) + varintSize(keySize) + varintSize(valueSize)
  size += Math.max(0, keySize) + Math.max(0, valueSize) + varintSize(named.length)
  for (const [name, text] of named) {
    const [nameSize, textSize] = [sizeOf(name), sizeOf(text)]
    size += varintSize(nameSize) + nameSize + varintSize(textSize) + Math.max(0, textSize)
  }
  writer.reserve(size + 5)
  writer.varint(size)
  // No attributes; no time of its own.
  writer.int8(0)
  writer.varint(0)
  writer.varint(offset)
  writer.sized(key, keySize)
  writer.sized(value, valueSize)
  writer.varint(named.length)
  for (const [name, text] of named) {
    writer.sized(name, sizeOf(name))
    writer.sized(text, sizeOf(text))
  }
}

type Content = string | Buffer | null | undefined

function flatten(headers: IHeaders): (readonly [string, Content])[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => [name, each] as const),
  )
}

/** In bytes; -1: there is nothing. */
function sizeOf(content: Content): number {
  if (content === null || content === undefined) return -1
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length
}

/** Of a number as zigzag and variable length. */
function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x200000) return 3
  return zigzag < 0x10000000 ? 4 : 5
}

/** Writes into one buffer, which grows where `reserve` asks for it. */
class Writer {
  at = 0
  #buffer: Buffer

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size)
  }

  /** A view of what was written. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.at)
  }

  reserve(size: number): void {
    const needed = this.at + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.at)
    this.#buffer = larger
  }

  int8(value: number): void {
    this.at = this.#buffer.writeInt8(value, this.at)
  }

  int16(value: number): void {
    this.at = this.#buffer.writeInt16BE(value, this.at)
  }

  int32(value: number): void {
    this.at = this.#buffer.writeInt32BE(value, this.at)
  }

  int64(value: bigint): void {
    this.at = this.#buffer.writeBigInt64BE(value, this.at)
  }

  string(text: string): void {
    const size = Buffer.byteLength(text)
    this.int16(size)
    this.at += this.#buffer.write(text, this.at)
  }

  varint(value: number): void {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
    while (zigzag >= 0x80) {
      this.#buffer[this.at] = (zigzag & 0x7f) | 0x80
      this.at += 1
      zigzag >>>= 7
    }
    this.#buffer[this.at] = zigzag
    this.at += 1
  }

  sized(content: Content, size: number): void {
    this.varint(size)
    if (size <= 0 || content === null || content === undefined) return
    if (typeof content === 'string') this.at += this.#buffer.write(content, this.at)
    else this.at += content.copy(this.#buffer, this.at)
  }
}

const CASTAGNOLI = 0x82f63b78
/** Eight tables, one after the other: eight bytes a step (Kounavis and Berry, 2005, "slicing by 8"). */
const TABLES = makeTables()

function makeTables(): DataView {
  const tables = new DataView(new ArrayBuffer(8 * 256 * 4))
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1
    tables.setInt32(byte << 2, crc, true)
  }
  for (let at = 256; at < 8 * 256; at += 1) {
    const crc = tables.getInt32((at - 256) << 2, true)
    tables.setInt32(at << 2, (crc >>> 8) ^ tables.getInt32((crc & 0xff) << 2, true), true)
  }
  return tables
}

function look(table: number, byte: number): number {
  return TABLES.getInt32((table << 10) | (byte << 2), true)
}

/** CRC-32C of `bytes`, going on from the sum of what stands before them. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { byteLength } = view
  let crc = ~before
  let at = 0
  for (; at + 8 <= byteLength; at += 8) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      look(7, low & 0xff) ^
      look(6, (low >>> 8) & 0xff) ^
      look(5, (low >>> 16) & 0xff) ^
      look(4, low >>> 24) ^
      look(3, high & 0xff) ^
      look(2, (high >>> 8) & 0xff) ^
      look(1, (high >>> 16) & 0xff) ^
      look(0, high >>> 24)
  }
  for (; at < byteLength; at += 1) crc = (crc >>> 8) ^ look(0, (crc ^ view.getUint8(at)) & 0xff)
  return ~crc >>> 0
}
