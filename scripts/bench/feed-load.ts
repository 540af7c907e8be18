import { createClient } from '@sns/api/client'
import { createAccessTokens } from '@sns/api/security/access-tokens'
import { systemClock } from '@sns/shared/domain/clock'
import { parseId } from '@sns/shared/domain/id'
import type { Survey } from '../import/survey'
import type { BenchSuite, RunningBenchSuite } from './bench-suite'
import { runLoad } from './load'

/** Simultaneous users, each on a connection of its own. */
const USERS = 500
const WARM_SECONDS = 5
const SECONDS = 20

export interface FeedLoad {
  readonly suite: BenchSuite
  readonly running: RunningBenchSuite
  readonly survey: Survey
  /** Of every imported user. */
  readonly password: string
  readonly isQuick: boolean
}

/**
 * The first page of the home feed, 20 posts, read by 500 users at once who were taken at random from
 * the graph: each asks again as soon as it is answered. Reads are warm: every timeline was built before.
 */
export async function measureFeed(
  { suite, running, survey, password, isQuick }: FeedLoad,
  add: (name: string, value: number, unit: string) => void,
): Promise<void> {
  const tokens = await tokensOf(running.url, suite.secretKey, survey, password)
  let turn = 0
  const next = () => ({ path: '/v1/feed', token: tokens[turn++ % tokens.length] ?? '' })
  const load = { url: running.url, connections: USERS, next }
  const warm = await runLoad({ ...load, seconds: isQuick ? 1 : WARM_SECONDS })
  const result = await runLoad({ ...load, seconds: isQuick ? 3 : SECONDS })
  if (warm.failures + result.failures > 0) {
    throw new Error(`${warm.failures + result.failures} feed reads were not answered with 200`)
  }
  add(`feed, ${USERS} simultaneous users`, result.requestsPerSecond, 'requests/s')
  add('feed P50', Math.round(result.p50), 'ms')
  add('feed P99', Math.round(result.p99), 'ms')
  add('feed page, mean', result.meanBodyBytes, 'bytes')
}

async function tokensOf(
  url: string,
  secretKey: string,
  survey: Survey,
  password: string,
): Promise<readonly string[]> {
  const someone = `u${survey.users[0] ?? 0}`
  const login = await createClient(url).v1.auth.login.post({ username: someone, password })
  if (!login.data) throw new Error(`login as ${someone} answered ${login.status}`)
  const { v1 } = createClient(url, { token: login.data.accessToken })
  const tokens = createAccessTokens({ clock: systemClock, secretKey })
  const chosen = new Set<number>()
  while (chosen.size < Math.min(USERS, survey.users.length)) {
    chosen.add(survey.users[Math.floor(Math.random() * survey.users.length)] ?? 0)
  }
  const signed: string[] = []
  for (const number of chosen) {
    const { data } = await v1.users({ username: `u${number}` }).get()
    const id = data && parseId<'user'>(data.id)
    if (id) signed.push(await tokens.sign(id))
  }
  return signed
}
