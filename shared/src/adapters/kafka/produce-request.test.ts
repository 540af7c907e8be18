import { expect, test } from 'bun:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { CompressionTypes, type Message } from 'kafkajs'
import requestV7 from 'kafkajs/src/protocol/requests/produce/v7/request'
import Long from 'kafkajs/src/utils/long'
import { crc32c, encodeProduce } from './produce-request'

const NOW = 1_795_000_000_000

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '한국어', '👩‍👩‍👧', 'x'.repeat(200), 'y'.repeat(20_000)),
)
const message = fc.record({
  key: text,
  value: fc.oneof(
    text,
    fc.constant(null),
    text.map((each) => Buffer.from(each)),
  ),
  headers: fc.option(
    fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), text, { maxKeys: 3 }),
    {
      nil: undefined,
    },
  ),
}) as fc.Arbitrary<Message>

const request = fc.record({
  transactionalId: fc.option(fc.constantFrom('sns.capture.sns', '한'), { nil: undefined }),
  producerId: fc.constantFrom(
    Long.fromValue(-1),
    Long.fromValue(7),
    Long.fromValue('9007199254740993'),
  ),
  producerEpoch: fc.nat(3_000),
  acks: fc.constantFrom(-1, 1),
  timeout: fc.nat(60_000),
  topicData: fc.array(
    fc.record({
      topic: fc.constantFrom('sns.sns.posts', 'sns.sns.likes'),
      partitions: fc.array(
        fc.record({
          partition: fc.nat(20),
          firstSequence: fc.nat(2 ** 31 - 1),
          messages: fc.array(message, { minLength: 1, maxLength: 150 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
})

test('is byte for byte what kafkajs encodes, whatever is sent', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (given) => {
      const input = { ...given, compression: CompressionTypes.None }
      const realNow = Date.now
      Date.now = () => NOW
      try {
        const theirs = (await requestV7(input).encode()).buffer
        expect(Buffer.compare(await encodeProduce(input, NOW), theirs)).toBe(0)
      } finally {
        Date.now = realNow
      }
    }),
    { numRuns: 60 },
  )
})

test('compresses what it would have sent plain, several batches at once', async () => {
  const inputs = Array.from({ length: 8 }, (_, n) => ({
    producerId: Long.fromValue(1),
    producerEpoch: 0,
    acks: -1,
    timeout: 1,
    topicData: [
      {
        topic: 't',
        partitions: [
          {
            partition: 0,
            firstSequence: 0,
            messages: Array.from({ length: 500 * (n + 1) }, (_, at) => ({
              key: `${n}`,
              value: `${n} ${at}`,
            })),
          },
        ],
      },
    ],
  }))
  const encode = (compression: CompressionTypes) =>
    Promise.all(inputs.map((input) => encodeProduce({ ...input, compression }, NOW)))
  const [plain, packed] = [await encode(CompressionTypes.None), await encode(CompressionTypes.ZSTD)]
  // The body's head, a topic of one letter, one partition, and a batch's header.
  const start = 2 + 2 + 4 + 4 + 3 + 4 + 8 + 61
  for (const [at, buffer] of packed.entries()) {
    const records = plain[at]?.subarray(start) ?? Buffer.alloc(0)
    expect(Buffer.compare(zstdDecompressSync(buffer.subarray(start)), records)).toBe(0)
    const header = buffer.subarray(start - 61, start)
    expect(header.readInt16BE(21) & 7).toBe(CompressionTypes.ZSTD)
    expect(header.readUInt32BE(17)).toBe(crc32c(buffer.subarray(start - 40)))
  }
})

test('checks by the sum that RFC 3720 gives for its examples', () => {
  const sum = (bytes: ArrayLike<number>) => crc32c(Uint8Array.from(bytes)).toString(16)
  expect(sum(new Uint8Array(32))).toBe('8a9136aa')
  expect(sum(new Uint8Array(32).fill(0xff))).toBe('62a8ab43')
  expect(sum(Array.from({ length: 32 }, (_, at) => at))).toBe('46dd794e')
  expect(sum(Buffer.from('123456789'))).toBe('e3069283')
})
