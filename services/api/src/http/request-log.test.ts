import { expect, test } from 'bun:test'
import type { Logger } from '@sns/shared/observability/logger'
import { eventually } from '@sns/shared/testing/eventually'
import { openTestApi } from '../testing/test-api'

test('a request that no route answers is logged with its path, without its query', async () => {
  const lines: Record<string, unknown>[] = []
  await using api = await openTestApi({
    wrap(deps) {
      const logger = Object.create(deps.logger, {
        info: { value: (line: Record<string, unknown>) => lines.push(line) },
      }) as Logger
      return { ...deps, logger }
    },
  })
  await api.request('GET', '/wp-login.php?password=hunter2')
  await api.request('POST', '/v1/posts', { body: { text: 'who am I' } })
  await eventually(() => lines.length === 2)
  expect(lines).toMatchObject([
    { route: 'unmatched', path: '/wp-login.php', status: 404 },
    { route: '/v1/posts', status: 401 },
  ])
  expect(lines[1]).not.toHaveProperty('path')
})
