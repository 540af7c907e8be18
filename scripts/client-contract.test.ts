import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openTestApi } from '@sns/api/testing/test-api'
import { renderContract } from './client/render-contract'
import { CONTRACT_FILE } from './client-contract'

test('the client has the types of the api: else run bun scripts/client-contract.ts and format', async () => {
  await using api = await openTestApi()
  const { body } = await api.request('GET', '/swagger/json')
  const root = join(import.meta.dir, '..')
  const formatter = Bun.spawn(
    [
      process.execPath,
      '--bun',
      'run',
      'biome',
      'check',
      '--write',
      `--stdin-file-path=${CONTRACT_FILE}`,
    ],
    { cwd: root, stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' },
  )
  formatter.stdin.write(renderContract(body))
  await formatter.stdin.end()
  expect(await new Response(formatter.stdout).text()).toBe(await Bun.file(CONTRACT_FILE).text())
})
