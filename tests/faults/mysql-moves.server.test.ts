import { afterAll, describe, expect, test } from 'bun:test'
import { mysqlPairCommand } from '@sns/shared/testing/mysql-pair'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { type Move, openMovingSuite, type Round } from './moving-mysql'

const canRun = hasAllTestServers && mysqlPairCommand !== null
if (!canRun)
  console.log('SKIPPED: no servers of MySQL here (TEST_MYSQL_PAIR) whose primary could move')

/**
 * `SOAK_HOURS=1 bun run test tests/faults/mysql-moves` goes on at random for so long, half of it with a pair, half with
 * a group; without it each move is made once. `SOAK_SEED` is what a run has printed: the same moves, at the same counts
 * of reads.
 */
const HOURS = Number(process.env.SOAK_HOURS ?? 0)
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000)

const PAIR: readonly Move[] = [
  { name: 'planned switchover, the old primary lives on', command: ['switchover'] },
  { name: 'the primary is killed, its replica promoted', command: ['failover'] },
  { name: 'the primary hangs, its replica is promoted', command: ['failover', '--hang'] },
  {
    name: 'a replica without the last commits is promoted',
    command: ['failover'],
    isLossy: true,
  },
  { name: 'planned switchover, connections cut', command: ['switchover', '--cut'] },
]
const GROUP: readonly Move[] = [{ name: 'a group’s primary is killed', command: ['failover'] }]
/** Beside those, where there is time. */
const LONGER: readonly Move[] = [{ name: 'a group’s primary is changed', command: ['switchover'] }]
const rounds: Round[] = []

describe.skipIf(!canRun)('MySQL whose primary moves', () => {
  afterAll(() => console.log(`SOAK_SEED=${SEED}\n${table(rounds)}`))

  test.each<[string, Parameters<typeof openMovingSuite>, readonly Move[]]>([
    ['a pair', ['pair', '--semi-sync'], PAIR],
    ['a group', ['group'], GROUP],
  ])(
    '%s: no wrong answer at either api, no answered write is lost but by a lossy promotion, and all goes on',
    async (_, mode, moves) => {
      const random = seeded(SEED)
      await using suite = await openMovingSuite(...mode)
      let played = 0
      const play = async (move: Move) => {
        rounds.push(await suite.play(move, random))
        played += 1
        expect(suite.tally.wrong).toEqual([])
      }
      const all = moves === GROUP ? [...GROUP, ...LONGER] : moves
      for (const move of moves) await play(move)
      const until = performance.now() + (HOURS * 3_600_000) / 2
      while (performance.now() < until) {
        await play(all[Math.floor(random() * all.length)] as Move)
        if (played % 10 === 0) expect(await suite.drift()).toBe('')
      }
      expect(await suite.drift()).toBe('')
      expect(rounds.slice(-played).some(({ atReplicas }) => atReplicas > 0)).toBe(true)
      for (const api of suite.apis) {
        expect(await api.metric('sns_freshness_believes')).toBe(1)
        expect(await api.metric('sns_mysql_primary_moves_total')).toBe(played)
        expect((await fetch(`${api.url}/readyz`)).status).toBe(200)
      }
    },
    300_000 + HOURS * 3_600_000,
  )
})

/** Numbers below 1 that a seed decides (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** For each move: how often, and the median and the most of each time. */
function table(played: readonly Round[]): string {
  const seconds = (times: readonly number[]) => {
    const sorted = [...times].sort((a, b) => a - b)
    const [median = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
    return `${(median / 1_000).toFixed(1)} (${(most / 1_000).toFixed(1)})`
  }
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
  const lines = [...Map.groupBy(played, ({ move }) => move)].map(([move, each]) =>
    [
      move,
      each.length,
      seconds(each.map(({ movedMs }) => movedMs)),
      seconds(each.map(({ writesMs }) => writesMs)),
      seconds(each.map(({ gapMs }) => gapMs)),
      `${sum(each.map(({ refused }) => refused))} of ${sum(each.map(({ answered }) => answered))}`,
      sum(each.map(({ atReplicas }) => atReplicas)),
      sum(each.map(({ lost }) => lost)),
      each.filter(({ hasCaptureEnded }) => hasCaptureEnded).length,
    ].join(' | '),
  )
  return [
    '| move | rounds | s until the address leads to the new primary | s until writes at every api | s without a write at an api | 503 beside answered writes | reads at replicas | answered, then lost | capture ended |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
}
