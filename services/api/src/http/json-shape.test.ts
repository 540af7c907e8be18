import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { jsonShape } from './json-shape'

const shape = (text: string) => jsonShape(new TextEncoder().encode(text))

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, each) => sum + valuesOf(each), 1)
}

test('the depth and width of JSON are what its value has, whatever stands in its texts', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '[[[', '{"', '\\"', ']}'))
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6 },
      key,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(key, tie('json'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify(value)
      const { depth, values, isClosed } = shape(text)
      expect([depth, isClosed]).toEqual([depthOf(value), true])
      expect(values).toBeGreaterThanOrEqual(valuesOf(value))
      expect(values).toBeLessThanOrEqual(2 * valuesOf(value))
    }),
  )
})

test.each(['[', '{"a":[1}', '"', '["a\\"]', ']', '{'])('%s is not closed', (text) => {
  expect(shape(text).isClosed).toBeFalse()
})
