import { createClient } from '@sns/api/client'
import type { Survey } from '../import/survey'
import type { RunningBenchSuite } from './bench-suite'
import { runLoad } from './load'

/** Simultaneous users, each on a connection of its own. */
const USERS = 500
const READS_AT_ONCE = 16
const LOGINS_AT_ONCE = 8
const WARM_SECONDS = 5
const SECONDS = 20

export interface FeedLoad {
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
  { running, survey, password, isQuick }: FeedLoad,
  add: (name: string, value: number, unit: string) => void,
): Promise<void> {
  const signedIn = await logInSome(running.url, survey, password, USERS)
  const tokens = signedIn.map(({ token }) => token)
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

/** Some users at random with access tokens; a few log in at a time. */
export async function logInSome(
  url: string,
  survey: Survey,
  password: string,
  count: number,
): Promise<readonly { readonly username: string; readonly token: string }[]> {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(count, survey.users.length)) {
    chosen.add(survey.users[Math.floor(Math.random() * survey.users.length)] ?? 0)
  }
  const { v1 } = createClient(url)
  const waiting = [...chosen]
  const signedIn: { readonly username: string; readonly token: string }[] = []
  const logInNext = async () => {
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      const username = `u${number}`
      const { data, status } = await v1.auth.login.post({ username, password })
      if (!data) throw new Error(`login as ${username} answered ${status}`)
      signedIn.push({ username, token: data.accessToken })
    }
  }
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, logInNext))
  return signedIn
}

/** Reads each feed once, some at a time: a first read makes its timeline, for as long as that takes. */
export async function readEach(
  url: string,
  readers: readonly { readonly token: string }[],
): Promise<void> {
  const waiting = [...readers]
  const readNext = async () => {
    for (let reader = waiting.pop(); reader; reader = waiting.pop()) {
      const { status } = await createClient(url, { token: reader.token }).v1.feed.get()
      if (status !== 200) throw new Error(`a first read of a feed answered ${status}`)
    }
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, readNext))
}
