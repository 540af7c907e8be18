import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { UserId } from '@sns/shared/domain/id'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { UserStore } from '@sns/shared/ports/user-store'
import type { ApiStores } from '@sns/shared/runtime/backend-ports'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { verifyMemories } from './feeds/memory'
import { rebuildWindow, verifyWindow } from './feeds/verify'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { onServers, readSample } from './process/server-command'
import { createProgress } from './progress'

const LINE = COMMAND_LINES.feeds
const PAGE = 1_000
/** Users processed at once: most of the time is spent waiting for stores. */
const AT_ONCE = 8
const SHOWN = 20
const TIMELINES_WITHIN_MS = 10_000

interface FeedsArguments {
  readonly action: 'verify' | 'rebuild'
  readonly usernames: readonly string[]
  /** How many users at random; infinite: all. 0 where they are named. */
  readonly sample: number
  /** The operators' ports of the apis whose memory is to be compared, in place of timelines. */
  readonly memory: readonly string[]
}

/**
 * `verify` compares cached timelines, or what running apis keep, with SQL and ends with 1 where something
 * differs; `rebuild` makes timelines anew. All may run beside the suite, be stopped and be run again.
 */
export const feeds: Command = async ({ args, signal }) => {
  const options = readArguments(args)
  const { memory, sample } = options
  const { role } = LINE
  if (memory.length > 0) {
    const { operatorToken: token } = loadSettings(environment, { role })
    return verifyMemories(memory, { sample, token, signal })
  }
  const command = {
    name: 'feeds',
    role,
    embedded:
      'embedded, timelines live in the memory of the suite and end with it; what it keeps of the database is compared by `feeds verify --memory URL --all`',
  } as const
  await onServers(command, async (backend) => {
    const stores = await backend.forApi()
    await untilTimelinesAreCurrent(stores, signal)
    await run(options, stores, signal)
  })
}

async function run(
  { action, usernames, sample }: FeedsArguments,
  stores: ApiStores,
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress('feeds')
  const chosen = await chooseUsers(stores.users, usernames, sample)
  const counts = { equal: 0, none: 0, drift: 0, rebuilt: 0 }
  const wait = () => Bun.sleep(1_000)
  const waiting = [...chosen]
  let done = 0
  const next = async () => {
    for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) {
      if (signal.aborted) return
      if (action === 'rebuild') {
        if (await rebuildWindow(stores, user)) counts.rebuilt += 1
      } else {
        const finding = await verifyWindow({ ...stores, wait }, user)
        counts[finding.state] += 1
        if (finding.state === 'drift' && counts.drift <= SHOWN) {
          const { missing } = finding
          console.log(
            `user ${user}: ${missing.length} posts missing, the newest ${missing.slice(0, 3).join(', ')}`,
          )
        }
      }
      done += 1
      progress.update(action, done, chosen.length)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
  progress.stop()
  if (signal.aborted)
    throw new OperatorError(`stopped after ${done} of ${chosen.length} feeds`, 130)
  const count = (n: number) => n.toLocaleString('en')
  if (action === 'rebuild') {
    console.log(`rebuilt ${count(counts.rebuilt)} of ${count(chosen.length)} timelines`)
    return
  }
  console.log(
    `${count(counts.equal)} timelines equal SQL, ${count(counts.none)} users have none, ${count(counts.drift)} lack posts`,
  )
  if (counts.drift > 0) {
    throw new OperatorError('some timelines lack posts: run `feeds rebuild` to rebuild them', 1)
  }
}

/** Named ones, or a sample of all by reservoir (Vitter's algorithm R), so that each is as likely. */
async function chooseUsers(
  users: UserStore,
  usernames: readonly string[],
  sample: number,
): Promise<readonly UserId[]> {
  if (usernames.length > 0) {
    return Promise.all(
      usernames.map(async (username) => {
        const user = await users.findByUsername(username)
        if (!user) throw new OperatorError(`there is no user "${username}"`, 1)
        return user.id
      }),
    )
  }
  const chosen: UserId[] = []
  let seen = 0
  for (let after: UserId | null = null; ; ) {
    const page: readonly UserId[] = await users.ids(after, PAGE)
    for (const id of page) {
      seen += 1
      if (chosen.length < sample) chosen.push(id)
      else {
        const at = Math.floor(Math.random() * seen)
        if (at < sample) chosen[at] = id
      }
    }
    after = page.at(-1) ?? null
    if (page.length < PAGE) return chosen
  }
}

async function untilTimelinesAreCurrent({ freshness }: ApiStores, signal: AbortSignal) {
  const deadline = performance.now() + TIMELINES_WITHIN_MS
  while (freshness.belief() === null) {
    if (signal.aborted) throw new OperatorError('stopped before any feed was looked at', 130)
    if (performance.now() > deadline) {
      throw new OperatorError(
        'Redis is unavailable, or another one than the suite uses: check REDIS_URL',
        1,
      )
    }
    await Bun.sleep(50)
  }
}

function readArguments(args: readonly string[]): FeedsArguments {
  const { values, positionals } = readCommandLine(LINE, args)
  const [action, ...usernames] = positionals
  if (action !== 'verify' && action !== 'rebuild') throw misused(LINE, 'say verify or rebuild')
  const { memory = [] } = values
  const sample = readSample(values, LINE)
  if (memory.length > 0 && (action !== 'verify' || usernames.length > 0)) {
    throw misused(LINE, '--memory goes with verify and --sample N or --all')
  }
  if (usernames.length > 0 === sample > 0) {
    throw misused(LINE, 'name users, or say how many, or --all')
  }
  return { action, usernames, sample, memory }
}

if (import.meta.main)
  await runProgram('feeds', withHelp(LINE, feeds), { args: process.argv.slice(2) })
