import { eventually } from '@sns/shared/testing/eventually'
import { freePort, spawnProgram } from '../scripts/process/program-process'

/** One api of its own, ready. */
export interface ApiProcess extends AsyncDisposable {
  readonly url: string
  /** Where it answers operators. */
  readonly statusUrl: string
  /** What it has logged. */
  output(): string
  /** A metric as it is now: the sum of those whose line begins so. */
  metric(name: string): Promise<number>
  /** Waits until its pages come from memory. */
  untilBelieving(): Promise<void>
}

export async function startApiProcess(env: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const [port, metricsPort] = [freePort(), freePort()]
  const program = spawnProgram('start', ['api'], {
    ...env,
    WEB_PORT: String(port),
    METRICS_PORT: String(metricsPort),
  })
  const url = `http://127.0.0.1:${port}`
  const statusUrl = `http://127.0.0.1:${metricsPort}`
  await program.ready(url)

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${statusUrl}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(name))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  return {
    url,
    statusUrl,
    output: program.output,
    metric,
    async untilBelieving() {
      const believes = async () => (await metric('sns_freshness_believes')) === 1
      await eventually(believes, { timeoutMs: 30_000, what: 'pages come from memory' })
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}
