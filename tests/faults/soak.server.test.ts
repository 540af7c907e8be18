import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { readKafkaRecords } from '@sns/cdc-indexer/capture/testing/kafka-records'
import { documentVersion } from '@sns/shared/events/change-event'
import { decodeChange } from '@sns/shared/events/change-record'
import { topicName } from '@sns/shared/events/tables'
import { eventually } from '@sns/shared/testing/eventually'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { type StackServer, stack } from '@sns/shared/testing/stack'
import { type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { createMigratedNames, startWorker } from '../server-suite'

/** `SOAK_HOURS=8 bun run test tests/faults/soak` goes on at random for so long, with larger transactions; without it each case runs once. */
const HOURS = Number(process.env.SOAK_HOURS ?? 0)
const ROWS = 400
/** A transaction that a crash may hit in its midst. */
const LARGE_ROWS = HOURS > 0 ? 20_000 : 5_000
let largeFrom = 1_000_000
const HANG_MS = 8_000

interface World {
  /** The first cdc-indexer, where one runs. */
  readonly first: () => Indexer
  readonly start: () => Promise<Indexer>
  readonly restart: () => Promise<void>
  readonly run: (name: string, ...args: string[]) => ProgramProcess
  readonly sql: (statement: string) => Promise<unknown>
}

type Indexer = Awaited<ReturnType<typeof startWorker>>

/** What is done to the suite while rows are written. */
const CASES: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'kill -9 of capture and indexer': async ({ first, restart }) => {
    await first().crash()
    await restart()
  },
  'kill -9 inside a large transaction': async ({ first, restart, sql }) => {
    const from = largeFrom
    largeFrom += LARGE_ROWS
    const ids = Array.from({ length: LARGE_ROWS }, (_, n) => from + n)
    await sql(insertPosts(ids, 'large'))
    await first().crash()
    await restart()
    await sql(`DELETE FROM posts WHERE id >= ${from} LIMIT ${LARGE_ROWS / 2}`)
  },
  ...onEach('kill -9 of', async (server) => {
    await stack?.kill(server)
    await Bun.sleep(Math.random() * 2_000)
    await stack?.start(server)
  }),
  ...onEach('a hang of', async (server) => {
    await stack?.pause(server)
    await Bun.sleep(HANG_MS)
    await stack?.resume(server)
  }),
  'two captures, the first frozen and let go': async ({ first, start }) => {
    await using second = await start()
    process.kill(first().pid, 'SIGSTOP')
    await Bun.sleep(HANG_MS)
    process.kill(first().pid, 'SIGCONT')
    await Bun.sleep(1_000)
    await second.stop()
  },
  'a rebalance in mid-bulk': async ({ start }) => {
    const second = await start()
    await Bun.sleep(Math.random() * 2_000)
    await second.crash()
  },
  'ALTER and TRUNCATE in mid-stream': async ({ sql }) => {
    const column = `c${Date.now()}`
    await sql(`ALTER TABLE posts ADD COLUMN ${column} INT NULL`)
    await sql(`UPDATE posts SET ${column} = 1 WHERE id < 50`)
    await sql(`ALTER TABLE posts DROP COLUMN ${column}`)
    await sql('TRUNCATE TABLE imports')
  },
  'a snapshot, its capture killed': async ({ first, restart, run }) => {
    const snapshot = run('snapshot', 'posts')
    await Bun.sleep(Math.random() * 2_000)
    await first().crash()
    await restart()
    expect([await snapshot.exited, snapshot.output()]).toEqual([0, expect.anything()])
  },
  'a reindex, killed and resumed': async ({ run }) => {
    const killed = run('reindex')
    await Bun.sleep(1_000 + Math.random() * 2_000)
    await killed.crash()
    const resumed = run('reindex')
    expect([await resumed.exited, resumed.output()]).toEqual([0, expect.anything()])
  },
}

function onEach(what: string, disturb: (server: StackServer) => Promise<void>) {
  const servers = ['mysql', 'kafka', 'elasticsearch'] as const
  return Object.fromEntries(
    servers.map((server) => [`${what} ${server}`, () => disturb(server)] as const),
  )
}

interface Tally {
  runs: number
  /** Documents that the index lacks or has otherwise, or that have no row, once all is quiet. */
  drift: number
}

describe.skipIf(!hasAllTestServers || !stack)('capture and indexing under faults', () => {
  let names: ServerNames
  let session: MysqlSession
  let indexer: Indexer
  const tallies = new Map<string, Tally>()

  beforeAll(async () => {
    names = await createMigratedNames()
    session = createMysqlSession(names.mysql, { timeoutMs: 60_000 })
    await sql(insertPosts(Array.from({ length: ROWS }, (_, n) => n + 1)))
    indexer = await start()
  }, 120_000)

  afterAll(async () => {
    await indexer?.[Symbol.asyncDispose]()
    await session?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
    console.log(
      [
        '| case | runs | lost, stale or without a row |',
        '|---|---|---|',
        ...[...tallies].map(([name, { runs, drift }]) => `| ${name} | ${runs} | ${drift} |`),
      ].join('\n'),
    )
  })

  function run(name: string, ...args: string[]): ProgramProcess {
    return spawnProgram(name, args, names.env)
  }

  const sql = (statement: string) => session.query(statement)

  const start = () => startWorker(names, 'cdc-indexer')

  /** Inserts, edits and deletes until told to stop, whatever fails meanwhile. */
  function startWriter() {
    let isOver = false
    const own = createMysqlSession(names.mysql)
    const writing = (async () => {
      for (let n = 0; !isOver; n += 1) {
        const id = 1 + Math.floor(Math.random() * ROWS)
        const statements = [
          `UPDATE posts SET text = 'edit ${n}', version = version + 1 WHERE id = ${id}`,
          `UPDATE posts SET text = 'edit ${n}', version = version + 1 WHERE id BETWEEN ${id} AND ${id + 9}`,
          `DELETE FROM posts WHERE id = ${id}`,
          insertPosts([id], `again ${n}`).replace('INSERT', 'INSERT IGNORE'),
        ]
        await own.query(statements[n % statements.length] ?? '').catch(() => Bun.sleep(100))
      }
    })()
    return async () => {
      isOver = true
      await writing
      await own[Symbol.asyncDispose]()
    }
  }

  /** What differs once nothing is on its way any more; looked for until nothing does, or for so long. */
  async function drift(): Promise<number> {
    const deadline = performance.now() + 120_000
    for (;;) {
      const verify = run('search', 'verify', '--all')
      if ((await verify.exited) === 0) return 0
      const [, missing, extra] =
        /compared, ([\d,]+) missing or different, ([\d,]+) without/.exec(verify.output()) ?? []
      if (performance.now() > deadline) {
        return missing === undefined ? -1 : Number(missing) + Number(extra)
      }
    }
  }

  async function tryOne(name: string): Promise<void> {
    const tally = tallies.get(name) ?? { runs: 0, drift: 0 }
    tallies.set(name, tally)
    const stop = startWriter()
    try {
      await Bun.sleep(Math.random() * 1_500)
      await CASES[name]?.({
        first: () => indexer,
        start,
        async restart() {
          indexer = await start()
        },
        run,
        sql,
      })
      await Bun.sleep(500)
    } finally {
      await stop()
    }
    await eventually(() => sql('SELECT 1'), { timeoutMs: 60_000 })
    const differing = await drift()
    tally.runs += 1
    tally.drift += Math.abs(differing)
    if (differing !== 0) console.log(indexer.output().slice(-5_000))
    expect(differing).toBe(0)
  }

  test.each(Object.keys(CASES))('%s', tryOne, 300_000)

  if (HOURS > 0) {
    const most = HOURS * 3_600_000
    const inTurn = async () => {
      const cases = Object.keys(CASES)
      const until = performance.now() + most
      while (performance.now() < until) {
        await tryOne(cases[Math.floor(Math.random() * cases.length)] ?? '')
      }
    }
    test('at random', inTurn, most + 600_000)
  }

  test('and the log holds the changes of each row in order, the last one last', async () => {
    const topic = topicName({ prefix: names.database, database: names.database }, 'posts')
    const records = await readKafkaRecords(testKafkaClient(), [topic])
    const seen = new Map<string, Set<bigint>>()
    const newest = new Map<string, bigint>()
    const last = new Map<string, bigint>()
    let reordered = 0
    for (const { key, value } of records) {
      if (value === null) continue
      const version = documentVersion(decodeChange('posts', value))
      const versions = seen.get(key) ?? new Set()
      seen.set(key, versions)
      // A lower one than before is a repeat after a crash, or it is out of order.
      if (version < (newest.get(key) ?? 0n) && !versions.has(version)) reordered += 1
      versions.add(version)
      newest.set(key, version > (newest.get(key) ?? 0n) ? version : (newest.get(key) ?? 0n))
      last.set(key, version)
    }
    const stale = [...last].filter(([key, version]) => version !== newest.get(key))
    console.log(`${records.length} records of ${newest.size} rows, ${reordered} out of order`)
    expect({ reordered, stale }).toEqual({ reordered: 0, stale: [] })
    expect(newest.size).toBeGreaterThan(ROWS)
  }, 180_000)
})
