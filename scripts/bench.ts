import { environment } from '@sns/shared/config/environment'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { readBenchArguments } from './bench/arguments'
import { benchBaseline } from './bench/baseline'
import { benchCdc } from './bench/cdc'
import { benchFanout } from './bench/fanout'
import { benchFeed, type FeedRow } from './bench/feed'
import { benchFlame } from './bench/flame'
import { benchFrame } from './bench/frame'
import { report } from './bench/report'
import { benchSearch } from './bench/search'
import { benchWrites } from './bench/writes'
import { COMMAND_LINES } from './commands'
import { withHelp } from './process/command-line'

/** Runs one benchmark by name against a suite that it starts itself. */
export const bench: Command = async ({ args }) => {
  const options = readBenchArguments(args)
  const data = options.graph ?? 'the shipped sample'
  if (options.name === 'baseline') {
    const stores = environment.DATABASE_URL?.startsWith('mysql') ? 'servers' : 'embedded'
    report('baseline', options.out, { stores, data }, await benchBaseline(options))
  } else if (options.name === 'feed') {
    const { kind, rows, memoryMiB } = await benchFeed(options)
    const load = '500 connections, pages of 20'
    const ratios = ratiosOf(rows)
    report('feed', options.out, { stores: kind, data, load }, [
      ...rows.flatMap(({ name, requestsPerSecond, p50, p99 }) => [
        { name, value: requestsPerSecond, unit: `requests/s, P50 ${ms(p50)}, P99 ${ms(p99)}` },
      ]),
      ...ratios,
      { name: 'memory of ours after the load', value: memoryMiB, unit: 'MiB' },
    ])
  } else if (options.name === 'cdc') {
    report(
      'cdc',
      options.out,
      { data: 'the shipped sample, again and again' },
      await benchCdc(options),
    )
  } else if (options.name === 'fanout') {
    report('fanout', options.out, { timelines: 'full' }, await benchFanout(options))
  } else if (options.name === 'flame') {
    console.log(`saved as ${await benchFlame(options)}`)
  } else if (options.name === 'frame') {
    report('frame', options.out, { load: '64 connections' }, await benchFrame(options))
  } else if (options.name === 'search') {
    const load = '32 connections, pages of 20'
    report('search', options.out, { data, load }, await benchSearch(options))
  } else if (options.name === 'writes') {
    report('writes', options.out, { data }, await benchWrites(options))
  } else {
    throw new OperatorError(
      `there is no benchmark "${options.name}": there are baseline, cdc, fanout, feed, flame, frame, search, writes`,
      2,
    )
  }
}

/** Our rate divided by each other design's, from the same run. */
function ratiosOf(rows: readonly FeedRow[]) {
  const ours = rows.find(({ name }) => name === 'ours')
  return rows.flatMap(({ name, requestsPerSecond }) =>
    ours === undefined || name.startsWith('ours')
      ? []
      : [
          {
            name: `ours / ${name}`,
            value: Math.round((100 * ours.requestsPerSecond) / requestsPerSecond) / 100,
            unit: '',
          },
        ],
  )
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

if (import.meta.main)
  await runProgram('bench', withHelp(COMMAND_LINES.bench, bench), { args: process.argv.slice(2) })
