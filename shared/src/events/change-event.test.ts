import { expect, test } from 'bun:test'
import { documentVersion } from './change-event'

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562'

function versionOf(epoch: number, sequence: number, ordinal: number): bigint {
  const gtid = `${SERVER}:${sequence}`
  const source = { epoch, gtid } as Parameters<typeof documentVersion>[0]['source']
  return documentVersion({ source, transaction: { total_order: ordinal } })
}

test('versions grow with the change in its transaction, then the transaction, then the epoch', () => {
  const places = [
    [0, 1, 1],
    [0, 1, 2],
    [0, 1, 2 ** 18 - 1],
    [0, 2, 1],
    [0, 2 ** 40 - 1, 2 ** 18 - 1],
    [1, 1, 1],
    [31, 2 ** 40 - 1, 2 ** 18 - 1],
  ] as const
  const versions = places.map(([epoch, sequence, ordinal]) => versionOf(epoch, sequence, ordinal))
  expect(versions).toEqual([...versions].sort((a, b) => (a < b ? -1 : 1)))
  expect(new Set(versions).size).toBe(places.length)
  // What Elasticsearch takes: a signed number of 64 bits.
  expect(versions.at(-1)).toBeLessThan(2n ** 63n)
})

test('a transaction of more changes than there are places does not reach into the next', () => {
  expect(versionOf(0, 7, 2 ** 18 + 5)).toBe(versionOf(0, 7, 2 ** 18 - 1))
  expect(versionOf(0, 7, 2 ** 30)).toBeLessThan(versionOf(0, 8, 1))
})
