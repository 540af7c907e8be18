import { expect, test } from 'bun:test'
import { zstdCompressSync } from 'node:zlib'
import { createPlainReader, createZstdReader } from './zstd-reader'

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n) % 251))

test.each([
  ['zstd', () => createZstdReader(zstdCompressSync(bytes))],
  ['plain', () => createPlainReader(bytes)],
])('%s comes in pieces of any size, and ends', (_, open) => {
  const reader = open()
  const pieces: Buffer[] = []
  for (const size of [1, 0, 70_000, 3, 65_536, 200_000, 10]) {
    const piece = Buffer.alloc(size)
    pieces.push(piece.subarray(0, reader.read(piece)))
  }
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
  expect(pieces.map(({ length }) => length)).toEqual([1, 0, 70_000, 3, 65_536, 164_460, 0])
  reader.close()
})

test.each([
  ['is none', Buffer.from('nonsense, and nothing else')],
  ['is damaged', Buffer.from(zstdCompressSync(bytes)).fill(255, 4, 12)],
])('a frame that %s is refused', (_, packed) => {
  const reader = createZstdReader(packed)
  expect(() => reader.read(new Uint8Array(bytes.length))).toThrow(RangeError)
  reader.close()
})
