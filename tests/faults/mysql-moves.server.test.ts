import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import { type MysqlPair, mysqlPairCommand, openMysqlPair } from '@sns/shared/testing/mysql-pair'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { type ApiProcess, startApiProcess } from '../api-process'
import { type Person, signUp } from '../journey'
import { createMigratedNames } from '../server-suite'

const canRun = hasAllTestServers && mysqlPairCommand !== null
if (!canRun)
  console.log('SKIPPED: no servers of MySQL here (TEST_MYSQL_PAIR) whose primary could move')

/** What is done to the servers, and whether answered writes may be lost by it. */
const MOVES = [
  { move: ['switchover'], isLossy: false },
  { move: ['failover'], isLossy: false },
  { move: ['failover', '--hang'], isLossy: false },
  { move: ['lossy'], isLossy: true },
  { move: ['switchover', '--cut'], isLossy: false },
] as const

/** Somebody's one post, edited again and again; who reads must see each answered edit, or a later one. */
interface Story {
  readonly writer: Person
  readonly post: string
  /** The number of the last edit that was answered, and of the last that was asked for. */
  answered: number
  asked: number
  /** The number of the last edit that each api answered. */
  readonly answeredAt: Map<ApiProcess, number>
}

describe.skipIf(!canRun)('MySQL whose primary moves', () => {
  let pair: MysqlPair
  let names: ServerNames
  const apis: ApiProcess[] = []

  beforeAll(async () => {
    pair = await openMysqlPair('pair', '--semi-sync')
    names = await createMigratedNames(pair.url)
    apis.push(...(await Promise.all([startApiProcess(names.env), startApiProcess(names.env)])))
  }, 60_000)
  afterAll(async () => {
    for (const api of apis) await api[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
    await pair?.[Symbol.asyncDispose]()
  }, 60_000)

  async function openStory(at: ApiProcess): Promise<Story> {
    const writer = await signUp(at.url, 'mover')
    const { data } = await writer.client.v1.posts.post({ text: '0' })
    return { writer, post: data!.id, answered: 0, asked: 0, answeredAt: new Map() }
  }

  async function edit(story: Story, at: ApiProcess): Promise<void> {
    story.asked += 1
    const text = String(story.asked)
    const posts = createClient(at.url, { token: story.writer.token }).v1.posts
    const { status } = await posts({ id: story.post }).patch({ text })
    expect([200, 503]).toContain(status)
    if (status !== 200) return
    story.answered = Number(text)
    story.answeredAt.set(at, story.answered)
  }

  /** The edit that a page shows; null where there was none. `feed` comes from memory, `profile` from SQL. */
  async function shown(story: Story, at: ApiProcess, list: 'feed' | 'profile') {
    const { v1 } = createClient(at.url, { token: story.writer.token })
    const answer =
      list === 'feed'
        ? await v1.feed.get()
        : await v1.users({ username: story.writer.username }).posts.get()
    expect([200, 401, 503]).toContain(answer.status)
    if (!answer.data) return null
    return Number(answer.data.items.find(({ id }) => id === story.post)?.text ?? -1)
  }

  test('no answered write is missed by a later read at either api, and writes go on by themselves', async () => {
    await Promise.all(apis.map((api) => api.untilBelieving()))
    const stories = await Promise.all(apis.map(openStory))
    const wrong: string[] = []
    let [reads, isOver] = [0, false]
    /** While a move that loses writes is under way, what was answered before it is no bound. */
    let mayLose = false

    async function write(story: Story, turn: number) {
      for (let at = turn; !isOver; at += 1) {
        await edit(story, apis[at % apis.length]!)
        await Bun.sleep(10)
      }
    }
    async function read(story: Story, at: ApiProcess, list: 'feed' | 'profile') {
      for (; !isOver; await Bun.sleep(5)) {
        const [before, couldLose] = [story.answered, mayLose]
        const seen = await shown(story, at, list)
        if (seen === null || couldLose || mayLose) continue
        reads += 1
        if (seen < before) wrong.push(`${list} at ${at.url}: ${seen} after ${before}`)
      }
    }
    const running = [
      ...stories.map(write),
      ...stories.flatMap((story) =>
        apis.flatMap((api) => [read(story, api, 'feed'), read(story, api, 'profile')]),
      ),
    ]
    for (const { move, isLossy } of MOVES) {
      mayLose = isLossy
      await pair.run(...move)
      // An edit that begins now is answered at each api.
      const asked = stories.map((story) => story.asked)
      const isWritten = (api: ApiProcess) =>
        stories.every((story, at) => (story.answeredAt.get(api) ?? 0) > asked[at]!)
      await eventually(() => apis.every(isWritten), {
        timeoutMs: 15_000,
        what: `writes at each api after ${move.join(' ')}`,
      })
      mayLose = false
      await pair.run('rejoin')
      await Promise.all(apis.map((api) => api.untilBelieving()))
      expect(wrong).toEqual([])
    }
    isOver = true
    await Promise.all(running)
    expect(wrong).toEqual([])
    expect(reads).toBeGreaterThan(MOVES.length * 20)
    for (const api of apis) {
      expect(await api.metric('sns_freshness_believes')).toBe(1)
      expect(await api.metric('sns_mysql_primary_moves_total')).toBe(MOVES.length)
      const { status } = await fetch(`${api.url}/readyz`)
      expect(status).toBe(200)
      for (const story of stories) {
        expect(await shown(story, api, 'profile')).toBeGreaterThanOrEqual(story.answered)
      }
    }
  }, 180_000)
})
