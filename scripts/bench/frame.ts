import { createAccessTokens } from '@sns/api/security/access-tokens'
import { systemClock } from '@sns/shared/domain/clock'
import type { SessionId, UserId } from '@sns/shared/domain/id'
import { freePort, spawnProgram } from '../process/program-process'
import type { BenchArguments } from './arguments'
import { percentile } from './load'
import { processorSeconds } from './measures'
import { collectFigures, type Figure } from './report'
import { runWrk } from './wrk'

const CONNECTIONS = 64
const TURNS = 9
const SECONDS = 2

const GRANT = { userId: 1 as UserId, sessionId: 2 as SessionId, epoch: 0 }

/** What each step adds to the one before it, in the order of `frame-steps.ts`. */
const STEPS = [
  'a bare route of Elysia',
  'that reads one header of the request',
  'with an id, the log and metrics',
  'in the whole frame',
  '… and with a session’s token',
  '… and within rate limits',
]

/**
 * What the frame around a route costs beside a bare route: processor time of the process for each request,
 * step by step. Steps take turns, so that a machine that grows slower does so for all; medians.
 */
export async function benchFrame({ isQuick }: BenchArguments): Promise<readonly Figure[]> {
  const { figures, add } = collectFigures()
  const ports = STEPS.map(() => freePort())
  const secretKey = crypto.randomUUID() + crypto.randomUUID()
  const env = { PORTS: ports.join(), SECRET_KEY: secretKey }
  await using program = spawnProgram('bench/frame-steps', [], env)
  await program.ready(`http://127.0.0.1:${ports[0]}`, '/route')
  const accessTokens = createAccessTokens({ clock: systemClock, secretKey })
  const tokens = [await accessTokens.sign(GRANT)]
  const used = () => processorSeconds(new Map([[program.pid, 'steps']])).get('steps') ?? 0
  const costs: number[][] = STEPS.map(() => [])
  const seconds = isQuick ? 1 : SECONDS
  for (let turn = 0; turn <= (isQuick ? 1 : TURNS); turn++) {
    for (const [step, measured] of costs.entries()) {
      const before = used()
      const url = `http://127.0.0.1:${ports[step]}`
      const load = { url, path: '/route', tokens, connections: CONNECTIONS, seconds }
      const { requestsPerSecond } = await runWrk(load)
      const cost = (used() - before) / (requestsPerSecond * seconds)
      // In the first turn the code is compiled.
      if (turn > 0) measured.push(cost)
    }
  }
  const bare = median(costs[0] ?? [])
  for (const [step, name] of STEPS.entries()) {
    const cost = median(costs[step] ?? [])
    add(name, cost * 1e6, 'µs of the processor a request')
    if (step > 0) add('… of the bare route', cost / bare, '')
  }
  return figures
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}
