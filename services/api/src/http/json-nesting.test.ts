import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { jsonNesting } from './json-nesting'

const nesting = (text: string) => jsonNesting(new TextEncoder().encode(text))

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('the depth of JSON is what its value has, whatever stands in its texts', () => {
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
      expect(nesting(text)).toEqual({ depth: depthOf(value), isClosed: true })
    }),
  )
})

test.each(['[', '{"a":[1}', '"', '["a\\"]', ']', '{'])('%s is not closed', (text) => {
  expect(nesting(text).isClosed).toBeFalse()
})
