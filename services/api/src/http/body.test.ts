import { afterAll, beforeAll, expect, test } from 'bun:test'
import { expectProblem } from '../testing/expectations'
import { openTestApi, type TestApi } from '../testing/test-api'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const send = (raw: string) =>
  api.request('POST', '/v1/auth/logout', { raw, headers: { 'content-type': 'application/json' } })

const nested = (depth: number) => `{"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
const wide = (values: number) => `{"x":[${'1,'.repeat(values - 3)}1]}`
const named = (length: number) => `{"${'x'.repeat(length)}":1}`

test.each([
  ['8 levels', '9', nested(8), nested(9), 'body is nested too deeply'],
  ['1,000 values', '1,001', wide(1_000), wide(1_001), 'body holds more than 1000 values'],
  [
    'a name of 100 characters',
    '101',
    named(100),
    named(101),
    'body has a field with a name that is too long',
  ],
])('a body may have %s, not %s', async (_, __, most, more, detail) => {
  // What is wrong then is the field.
  const allowed = await send(most)
  expectProblem(allowed, 'invalid_request')
  expect(allowed.body.fields.map(({ field }: { field: string }) => field)).not.toContain('body')
  const answer = await send(more)
  expectProblem(answer, 'invalid_request', ['body'])
  expect(answer.body.detail).toBe(detail)
})
