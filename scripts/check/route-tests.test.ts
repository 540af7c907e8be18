import { expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { findDrawers } from './folder-names'
import { findUntestedRoutes } from './route-tests'

test('names the routes that no test asks', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'services/api/src/modules/posts/posts.test.ts')
  await Bun.write(
    file,
    [
      "await api.request('GET', `/v1/posts/€{id}`)",
      'const path = `€{post}/comments`',
      "await api.request('PUT', '/v1/users/ada/follow')",
      "await api.request('GET', `/v1/posts/€{id}/likes?limit=2`)",
    ]
      .join('\n')
      .replaceAll('€', '$'),
  )
  const routes = [
    'GET /v1/posts/{id}',
    'PATCH /v1/posts/{id}',
    'GET /v1/posts/{id}/comments',
    'GET /v1/posts/{id}/likes',
    'PUT /v1/users/{username}/follow',
    'PUT /v1/users/{username}/block',
    'GET /v1/feed',
  ]
  expect(await findUntestedRoutes(folder.path, routes)).toEqual([
    'PATCH /v1/posts/{id}',
    'PUT /v1/users/{username}/block',
    'GET /v1/feed',
  ])
})

test('names folders that could hold anything', async () => {
  await using folder = await temporaryFolder()
  for (const path of ['services/api/utils', 'shared/src/text', 'tests/helpers/deep']) {
    mkdirSync(join(folder.path, path), { recursive: true })
    await Bun.write(join(folder.path, path, 'x.ts'), '')
  }
  expect(await findDrawers(folder.path)).toEqual(['services/api/utils', 'tests/helpers'])
})
