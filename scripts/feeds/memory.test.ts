import { expect, test } from 'bun:test'
import { createMetrics } from '@sns/shared/observability/metrics'
import { listen } from '@sns/shared/runtime/http-listener'
import { createOperatorAccess } from '@sns/shared/runtime/operator-access'
import { createReadiness } from '@sns/shared/runtime/readiness'
import { createStatusApp } from '@sns/shared/runtime/status-app'
import { verifyMemories } from './memory'

const TOKEN = 'a token that is long enough for anybody'

function listening(token: string | null) {
  const app = createStatusApp({
    metrics: createMetrics(),
    readiness: createReadiness([]),
    operators: createOperatorAccess({ token }),
    async *verifyMemory() {
      yield { checked: 1, of: 1, differing: [], isBelieved: true }
    },
  })
  return listen(app, { host: '127.0.0.1', port: 0, portSetting: 'METRICS_PORT' })
}

function verify(url: string, token: string | null) {
  const { signal } = new AbortController()
  return verifyMemories([url], { sample: 1, token, signal })
}

test('an api is asked with the token that it wants, and one that wants none with any', async () => {
  await using open = listening(null)
  await using closed = listening(TOKEN)
  await verify(open.url, null)
  await verify(open.url, TOKEN)
  await verify(closed.url, TOKEN)
  expect(verify(closed.url, null)).rejects.toThrow(/refused: .*OPERATOR_TOKEN/)
  expect(verify(closed.url, `${TOKEN}!`)).rejects.toThrow(/refused: .*OPERATOR_TOKEN/)
})
