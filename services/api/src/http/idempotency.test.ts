import { expect, test } from 'bun:test'
import { openTestApi } from '../testing/test-api'

/** What makes nothing twice without a key. */
const BY_NATURE = [
  // The username is taken by then.
  'post /v1/auth/signup',
]

test('whatever makes something takes an Idempotency-Key', async () => {
  await using api = await openTestApi()
  const { body } = await api.request('GET', '/swagger/json')
  const makers: string[] = []
  for (const [path, methods] of Object.entries<Record<string, never>>(body.paths)) {
    for (const [method, operation] of Object.entries<{
      responses: object
      parameters?: { name: string }[]
    }>(methods)) {
      if (!('201' in operation.responses)) continue
      const isKeyed = operation.parameters?.some(({ name }) => name === 'Idempotency-Key')
      makers.push(`${method} ${path}${isKeyed ? ' by key' : ''}`)
    }
  }
  expect(makers.filter((each) => !each.endsWith(' by key'))).toEqual(BY_NATURE)
  expect(makers).toContain('post /v1/posts/{id}/comments by key')
})
