import { describe, expect, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { ByteCursor } from './byte-cursor'
import { type MappedColumn, TYPE } from './column'
import { cellReader } from './column-reader'

const column = (type: number, size: number, choices: readonly string[] = []): MappedColumn => ({
  name: 'mood',
  type,
  size,
  decimals: 0,
  isUnsigned: false,
  collation: 255,
  choices: choices.map((choice) => Buffer.from(choice)),
})

const utf8 = () => (bytes: Buffer, from: number, to: number) => bytes.toString('utf8', from, to)

describe('a value that cannot be read', () => {
  test.each<[string, MappedColumn, number[], number[]]>([
    ['an ENUM of no value of its column', column(TYPE.ENUM, 1, ['a']), [2], [2]],
    ['a SET with a member that its column lacks', column(TYPE.SET, 1, ['a']), [0b10], [0b10]],
    ['a JSON that is cut off', column(TYPE.JSON, 4), [2, 0, 0, 0, 12, 5], [12, 5]],
    ['a JSON of an unknown kind', column(TYPE.JSON, 4), [2, 0, 0, 0, 14, 5], [14, 5]],
  ])('is kept in its bytes, and what is behind it is read: %s', (_, mapped, bytes, kept) => {
    const cursor = new ByteCursor(Buffer.from([...bytes, 7]), 0, bytes.length + 1)
    expect(cellReader(mapped, utf8)(cursor)).toEqual({
      unreadable: Buffer.from(kept).toString('base64'),
      problem: expect.any(String),
    })
    expect(cursor.unsigned(1)).toBe(7)
  })

  test('is no longer there where the event itself is cut off', () => {
    const cursor = new ByteCursor(Buffer.from([5, 97, 98]), 0, 3)
    expect(() => cellReader(column(TYPE.VARCHAR, 20), utf8)(cursor)).toThrow(RangeError)
  })

  test('is a type that no MySQL of these versions has: its column is named', () => {
    expect(() => cellReader(column(99, 0), utf8)).toThrow(OperatorError)
    expect(() => cellReader(column(99, 0), utf8)).toThrow('column mood')
  })
})
