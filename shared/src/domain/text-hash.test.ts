import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { textHash } from './text-hash'

test('is the same number wherever it is made, and one that JSON keeps', () => {
  // It is kept in indexes: another hash would make all of them old.
  expect([textHash(''), textHash('a'), textHash('영화')]).toMatchInlineSnapshot(`
    [
      1929880503118233,
      4157191884664411,
      6417494211272088,
    ]
  `)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const hash = textHash(text)
      expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true)
      expect(textHash(`${text} `)).not.toBe(hash)
    }),
  )
})
