import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { CapturedTable } from '@sns/shared/events/tables'
import { testServers } from '@sns/shared/testing/servers'
import fc from 'fast-check'
import { openBinlogFixture } from '../testing/binlog-fixture'
import { dumpBinlog } from './binlog-dump'
import { createCharsetStore } from './charset-store'
import { createMysqlSession, isStatementError } from './session'
import { ANY_EFFECTS } from './statement-effects'

const RUNS = Number(process.env.DEFINITION_RUNS ?? 40)
setDefaultTimeout(60_000 + RUNS * 4_000)
const SEED = Number(process.env.DEFINITION_SEED ?? Math.floor(Math.random() * 2 ** 31))

interface Definition {
  readonly sql: string
  readonly isAnsi: boolean
  readonly isStrict: boolean
  /** Whether it runs in the other database. */
  readonly isBeside: boolean
}

/** Separators and spellings as MySQL's lexer takes them, with words in them that mean nothing. */
const gap = fc.constantFrom(
  ' ',
  '\n',
  '\t\r\n',
  '\v\f',
  '/**/',
  ' /* TRUNCATE TABLE posts; */ ',
  ' -- rename to posts\n',
  '#\n',
  " /*!99999 , posts 'x */ ",
  '/* it`s "x" */',
)
const word = (text: string) =>
  fc.constantFrom(
    text,
    text.toLowerCase(),
    [...text].map((c, n) => (n % 2 ? c.toLowerCase() : c)).join(''),
    `/*!50000 ${text} */`,
    `/*!${text}*/`,
    `/*!080000 ${text}*/`,
  )
const words = (text: string) => spaced(text.split(' ').map(word))

function spaced(parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.tuple(...parts), fc.array(gap, { minLength: parts.length, maxLength: parts.length }))
    .map(([texts, gaps]) => texts.map((text, n) => (n === 0 ? text : `${gaps[n]}${text}`)).join(''))
}

const maybe = (part: fc.Arbitrary<string>) => fc.oneof(part, fc.constant(''))

function definitions(database: string, beside: string): fc.Arbitrary<Definition> {
  const modes = fc.record({ isAnsi: fc.boolean(), isStrict: fc.boolean(), isBeside: fc.boolean() })
  return modes.chain((mode) => {
    const quoted = (text: string) =>
      fc.constantFrom(text, `\`${text}\``, ...(mode.isAnsi ? [`"${text}"`] : []))
    const name = (table: string, schema?: string) => {
      const bare = quoted(table)
      const full = fc
        .tuple(quoted(schema ?? database), fc.constantFrom('.', ' . ', '/* x */./**/', '.\n'), bare)
        .map((parts) => parts.join(''))
      if (schema !== undefined) return full
      return mode.isBeside ? fc.oneof({ arbitrary: full, weight: 4 }, bare) : fc.oneof(full, bare)
    }
    const captured = fc.constantFrom('posts', 'comments').chain((table) => name(table))
    const other = fc.oneof(
      name('spare'),
      name('posts_old'),
      name('posts', beside),
      name('spare', beside),
    )
    const any = fc.oneof(captured, other)
    const list = (item: fc.Arbitrary<string>, most: number) =>
      fc.uniqueArray(item, { minLength: 1, maxLength: most }).map((all) => all.join(' , '))
    const pair = spaced([any, word('TO'), any])
    const options = fc.constantFrom('', ', ALGORITHM=COPY', ', LOCK=SHARED')
    const texts = fc.constantFrom(
      "COMMENT = 'rename to x, drop partition p0'",
      "COMMENT 'it''s \\\\', ADD COLUMN a VARCHAR(80) DEFAULT 'truncate table posts' COMMENT 'drop, rename as y'",
      'ADD COLUMN a INT, ADD INDEX `rename to z` (a)',
      'RENAME  INDEX posts_author TO `drop column text`',
      'ENGINE = InnoDB',
      'ORDER BY id',
      'ADD COLUMN `text, drop` INT /* , DROP COLUMN text */',
      'ALTER COLUMN author_id SET DEFAULT 7 -- , RENAME TO x',
      'ADD COLUMN a INT, RENAME COLUMN created_at TO made_at',
      "ADD CONSTRAINT c CHECK (text <> 'truncate partition')",
    )
    const lossy = fc.constantFrom(
      'DROP text',
      'DROP COLUMN `text`, ADD COLUMN b INT',
      'CHANGE text body TEXT',
      'CHANGE COLUMN text text VARCHAR(2)',
      'MODIFY text VARCHAR(2)',
      'MODIFY COLUMN text VARBINARY(400)',
      'MODIFY COLUMN text VARCHAR(400) CHARACTER SET binary',
      'MODIFY COLUMN text VARCHAR(400) CHARSET binary',
      'MODIFY COLUMN text TEXT BYTE',
      "MODIFY COLUMN text VARCHAR(80) GENERATED ALWAYS AS (CONCAT('x', author_id)) STORED",
      "MODIFY COLUMN text VARCHAR(80) AS (CONCAT('y', author_id)) STORED",
      'MODIFY COLUMN text LONGTEXT',
      'CONVERT TO CHARACTER SET ascii',
      'CONVERT TO CHARACTER SET binary',
      'RENAME COLUMN text TO body',
      'MODIFY COLUMN author_id INT',
      'MODIFY author_id TINYINT',
    )
    const partitions = fc.constantFrom(
      'TRUNCATE PARTITION p0',
      'TRUNCATE PARTITION ALL',
      'DROP PARTITION p1',
      'REORGANIZE PARTITION p0, p1 INTO (PARTITION p0 VALUES LESS THAN MAXVALUE)',
      'REBUILD PARTITION p0',
      'REMOVE PARTITIONING',
    )
    const alter = (tables: fc.Arbitrary<string>, spec: fc.Arbitrary<string>) =>
      spaced([words('ALTER TABLE'), tables, spec])
    const sql = fc.oneof(
      spaced([word('TRUNCATE'), maybe(word('TABLE')), any]),
      spaced([
        word('DROP'),
        word('TABLE'),
        maybe(words('IF EXISTS')),
        list(any, 3),
        maybe(word('RESTRICT')),
      ]),
      spaced([words('DROP TEMPORARY TABLE'), words('IF EXISTS'), captured]),
      spaced([words('RENAME TABLE'), list(pair, 3)]),
      spaced([
        words('RENAME TABLE'),
        captured,
        fc.constant('TO'),
        name('tmp_table'),
        fc.constant(','),
        name('spare'),
        fc.constant('TO'),
        captured,
      ]),
      alter(any, spaced([word('RENAME'), maybe(fc.constantFrom('TO', 'as', '=')), any])),
      alter(
        captured,
        fc.tuple(texts, options).map(([text]) => text),
      ),
      alter(captured, lossy),
      alter(
        name('posts_parts'),
        spaced([
          words('EXCHANGE PARTITION'),
          fc.constant('p0'),
          words('WITH TABLE'),
          captured,
          maybe(words('WITHOUT VALIDATION')),
        ]),
      ),
      alter(fc.oneof(captured, name('posts_parts')), partitions),
      spaced([
        word('DROP'),
        fc.constantFrom('DATABASE', 'SCHEMA'),
        maybe(words('IF EXISTS')),
        quoted(beside),
      ]),
      spaced([
        word('CREATE'),
        word('TABLE'),
        maybe(words('IF NOT EXISTS')),
        captured,
        word('LIKE'),
        other,
      ]),
    )
    return sql.map((text) => ({ sql: text, ...mode }))
  })
}

describe.skipIf(!testServers.mysql)('definitions in random spellings', () => {
  test('stop capture at the tables whose rows they take away or change, and at no others', async () => {
    await using fixture = await openBinlogFixture()
    const { database } = fixture.server
    const beside = `${database}_b`
    const { writer, write } = fixture
    await using fuzzed = createMysqlSession(fixture.server, { timeoutMs: 60_000 })
    const mark = (n: number, phase: number) =>
      write(`INSERT INTO mutes (muter_id, muted_id, created_at) VALUES (${n}, ${phase}, 1)`)
    const TABLES = ['posts', 'comments'] as const

    await write(
      `CREATE DATABASE ${beside}_t`,
      `CREATE TABLE ${beside}_t.posts LIKE posts`,
      `CREATE TABLE ${beside}_t.comments LIKE comments`,
      `CREATE TABLE ${beside}_t.partitioned LIKE posts`,
      `ALTER TABLE ${beside}_t.partitioned PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (3), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
    )
    const restore = async (n: number) => {
      const rows = (table: string, first: number) =>
        `INSERT INTO ${table} (id, author_id, text, version, created_at, edited_at, updated_at)
         VALUES (${first}, 300, 'a text', 1, 1, NULL, 1), (2, 7, '한글', 1, 1, 1, 1), (3, 7, 'more text', 1, 1, NULL, 1)`
      const partitioned = n % 3 === 0 ? 'partitioned' : 'posts'
      await write(
        `DROP TABLE IF EXISTS posts, comments, spare, posts_old, posts_parts, tmp_table`,
        `DROP DATABASE IF EXISTS ${beside}`,
        `CREATE DATABASE ${beside}`,
        `CREATE TABLE posts LIKE ${beside}_t.${partitioned}`,
        `CREATE TABLE comments LIKE ${beside}_t.comments`,
        `CREATE TABLE spare LIKE ${beside}_t.posts`,
        `CREATE TABLE posts_parts LIKE ${beside}_t.partitioned`,
        `CREATE TABLE ${beside}.posts LIKE posts`,
        rows('posts', 1),
        "INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (1, 1, 300, 'a text', 1), (2, 1, 2, '한글', 1)",
        rows('spare', 0),
        'INSERT INTO posts_parts SELECT * FROM spare WHERE id = 0',
        rows(`${beside}.posts`, -1),
      )
    }
    /** Null: nobody can read what consumers need of it any more. */
    const rowsOf = async (table: string) => {
      const columns =
        table === 'posts'
          ? 'author_id, text, version, created_at, edited_at'
          : 'post_id, author_id, text, created_at'
      try {
        return await writer.query(
          `SELECT id, ${columns}, (SELECT data_type IN ('blob', 'varbinary') FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = '${table}' AND column_name = 'text') AS is_bytes
           FROM ${table} ORDER BY id`,
        )
      } catch (error) {
        if (isStatementError(error)) return null
        throw error
      }
    }
    const all = async () => await Promise.all(TABLES.map(rowsOf))

    const from = await fixture.head()
    const statements = fc.sample(definitions(database, beside), { numRuns: RUNS, seed: SEED })
    const changed: (readonly CapturedTable[])[] = []
    const problems: string[] = []
    for (const [n, { sql, isAnsi, isStrict, isBeside }] of statements.entries()) {
      await restore(n)
      const before = await all()
      const mode = `${isAnsi ? 'ANSI_QUOTES,' : ''}${isStrict ? 'STRICT_TRANS_TABLES,' : ''}NO_ENGINE_SUBSTITUTION`
      await fuzzed.query(`USE ${isBeside ? beside : database}`)
      await fuzzed.query(`SET SESSION sql_mode = '${mode}'`)
      await mark(n, 1)
      let problem = ''
      try {
        await fuzzed.query(sql)
      } catch (error) {
        if (!isStatementError(error)) throw error
        problem = error.message
      }
      await mark(n, 2)
      const after = await all()
      problems.push(problem)
      changed.push(TABLES.filter((_, at) => !Bun.deepEquals(before[at], after[at])))
    }
    await restore(0)
    await mark(RUNS, 1)

    const stopped = new Map<number, Set<CapturedTable>>()
    let open: number | null = null
    const over = new AbortController()
    const charsets = createCharsetStore(writer)
    await charsets.load()
    const settings = {
      server: fixture.server,
      serverId: fixture.id,
      from,
      published: [],
      seen: from.gtidSet,
      effects: ANY_EFFECTS,
      heartbeatMs: 1_000,
      silenceMs: 10_000,
      decodingOf: charsets.decodingOf,
      cover: {
        has(table: CapturedTable) {
          if (open !== null) stopped.set(open, (stopped.get(open) ?? new Set()).add(table))
          return true
        },
      },
    }
    const sink = {
      add(item: Parameters<Parameters<typeof dumpBinlog>[1]['add']>[0]) {
        if (item.kind === 'change' && item.event.source.table === 'mutes') {
          const { muter_id: n, muted_id: phase } = item.event.after ?? {}
          open = phase === 1 ? Number(n) : null
          if (n === RUNS) over.abort()
        }
        return null
      },
    }
    await dumpBinlog(settings, sink, over.signal)
    await write(`DROP DATABASE IF EXISTS ${beside}`, `DROP DATABASE ${beside}_t`)

    const wrong = statements.flatMap((statement, n) => {
      const stops = [...(stopped.get(n) ?? [])].sort()
      const rows = [...(changed[n] ?? [])].sort()
      const isMissed = rows.some((table) => !stops.includes(table))
      // Where a type or a name is another one, capture need not know that each value is the same.
      const mayBeWary = /MODIFY|CHANGE|CONVERT|REORGANIZE|EXCHANGE/i.test(statement.sql)
      const isNeedless = !mayBeWary && stops.some((table) => !rows.includes(table))
      return isMissed || isNeedless ? [{ ...statement, stops, rows, problem: problems[n] }] : []
    })
    expect({ seed: SEED, wrong }).toEqual({ seed: SEED, wrong: [] })
    // Else the test would show nothing.
    expect(changed.filter(({ length }) => length > 0).length).toBeGreaterThan(RUNS / 20)
  })
})
