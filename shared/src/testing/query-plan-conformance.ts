import { describe, expect, test } from 'bun:test'
import { CompiledQuery, type Kysely } from 'kysely'
import type { Database } from '../adapters/sql/schema'
import { SnsError } from '../errors/sns-error'
import { type Statistics, writeStatistics } from './mysql-statistics'
import { openTestDatabase, type TestDatabase } from './sql-database'
import { seedStores, storeCalls } from './store-calls'

type Statement = Pick<CompiledQuery, 'sql' | 'parameters'>

/** How one statement reads its tables: a line for each, in the order in which they are joined. */
type Plan = readonly string[]

/** Few rows however large the database is, or all of them wanted. */
const SCANNED_ON_PURPOSE = [
  // The authors with most followers, the deletions under way.
  /from .merged_authors.$/,
  /from .account_deletions. order by/,
  /from .post_deletions. /,
  // Counts a table, for an operator.
  /^select count\(\*\) as .count., min\(.id.\)/,
]

/**
 * Pages below a key of lists whose index holds every column of their table. MySQL reads such an index from end to end,
 * even the one that it was told to use, while it believes that the table is next to empty: for seconds, as it counts a
 * table that grows again by itself, and `import` has it count. Bounds that it cannot begin at would have each page pass
 * over all that are above it, for ever.
 */
const SCANNED_WHERE_BELIEVED_EMPTY = [
  /from .blocks. .*blocks.\..created_at. <= \?/,
  /from .mutes. .*mutes.\..created_at. <= \?/,
  /from .likes. .*likes.\..created_at. <= \?/,
  /from .post_tags. .*post_tags.\..post_id. < \?/,
]
const BELIEVED_EMPTY: readonly Statistics[] = ['none', 'thirty rows of one value']

/** The order of these look-ups of one row each makes no difference. */
const LOOK_UPS = /^(outgoing|incoming|muted|followed): /

/**
 * Every statement of every store, run on a database of thousands of rows, is planned again under statistics that
 * are wrong: it must read the same tables by the same indexes in the same order, and no table from end to end.
 */
export function queryPlanConformance(kind: TestDatabase['kind']): void {
  describe('plans of queries', () => {
    test('each statement reads by the same indexes whatever the statistics, and scans no table', async () => {
      const statements = await recordStatements(kind)
      expect(statements.length).toBeGreaterThan(80)
      await using database = await openTestDatabase(kind)
      const { db } = database
      await seedStores(db)
      const planner = kind === 'mysql' ? mysqlPlanner : sqlitePlanner
      const plans = new Map<string, Map<string, string[]>>()
      for (const statistics of planner.statistics) {
        await planner.believe(db, statistics)
        for (const statement of statements) {
          const reads = await planner.explain(db, statement)
          const lookUps = reads.filter((read) => LOOK_UPS.test(read)).toSorted()
          const joined = reads.filter((read) => !LOOK_UPS.test(read))
          const plan = [...joined, ...lookUps].join(' → ')
          if (kind === 'mysql' && isScannedForNow(statement, statistics, plan)) continue
          const seen = plans.get(statement.sql) ?? new Map<string, string[]>()
          plans.set(statement.sql, seen.set(plan, [...(seen.get(plan) ?? []), statistics]))
        }
      }
      const faults: string[] = []
      for (const [text, byPlan] of plans) {
        if (SCANNED_ON_PURPOSE.some((pattern) => pattern.test(text))) continue
        const isScan = [...byPlan.keys()].some((plan) => plan.includes('SCAN'))
        if (byPlan.size === 1 && !isScan) continue
        const lines = [...byPlan].map(([plan, when]) => `  ${when.join(', ')}: ${plan}`)
        faults.push(`${text}\n${lines.join('\n')}`)
      }
      expect(faults.join('\n')).toBe('')
    }, 120_000)
  })
}

function isScannedForNow({ sql }: Statement, statistics: Statistics, plan: string): boolean {
  return (
    plan.includes('SCAN') &&
    BELIEVED_EMPTY.includes(statistics) &&
    SCANNED_WHERE_BELIEVED_EMPTY.some((pattern) => pattern.test(sql))
  )
}

/** Of each text the statement that ran first. */
async function recordStatements(kind: TestDatabase['kind']): Promise<readonly Statement[]> {
  const seen = new Map<string, Statement>()
  let isRecording = false
  await using database = await openTestDatabase(kind, {
    onStatement({ query }) {
      if (!isRecording || !/^\s*(select|update|delete)\b/i.test(query.sql)) return
      // Lists of other lengths are the same statement.
      const text = query.sql.replace(/\?(, \?)+/g, '?*')
      if (!seen.has(text)) seen.set(text, query)
    },
  })
  await seedStores(database.db)
  isRecording = true
  const { users, ...stores } = storeCalls(database.db)
  // Accounts go last.
  for (const calls of [...Object.values(stores), users]) {
    for (const call of Object.values(calls)) {
      await call().catch((error: unknown) => {
        if (!(error instanceof SnsError)) throw error
      })
    }
  }
  return [...seen.values()]
}

interface Planner {
  readonly statistics: readonly Statistics[]
  believe(db: Kysely<Database>, statistics: Statistics): Promise<void>
  explain(db: Kysely<Database>, statement: Statement): Promise<Plan>
}

const explained = async <Row>(db: Kysely<Database>, how: string, { sql, parameters }: Statement) =>
  (await db.executeQuery<Row>(CompiledQuery.raw(`${how} ${sql}`, [...parameters]))).rows

const mysqlPlanner: Planner = {
  statistics: ['right', 'none', 'thirty rows of one value', 'many rows, all different'],

  believe: writeStatistics,

  async explain(db, statement) {
    interface Row {
      readonly table: string | null
      readonly type: string | null
      readonly key: string | null
    }
    const rows = await explained<Row>(db, 'explain format=traditional', statement)
    return rows
      .filter(({ table }) => table !== null && !table.startsWith('<'))
      .map(({ table, type, key }) => {
        if (type === 'ALL' || type === 'index') return `${table}: SCAN ${key}`
        return `${table}: ${key}`
      })
  },
}

const sqlitePlanner: Planner = {
  // It keeps none; see `openSqliteDatabase`.
  statistics: ['none'],

  async believe() {},

  async explain(db, statement) {
    const rows = await explained<{ detail: string }>(db, 'explain query plan', statement)
    return rows
      .map(({ detail }) => detail.replace(/ \(.*\)/, ''))
      .filter((detail) => /^(SCAN|SEARCH) /.test(detail) && !DERIVED.test(detail))
  },
}

/** What SQLite says of a table that the query itself makes. */
const DERIVED = /^SCAN (candidates|authors|each|some|unread|CONSTANT|\(|\d+-ROW VALUES)/
