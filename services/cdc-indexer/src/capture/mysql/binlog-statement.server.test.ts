import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { testServers } from '@sns/shared/testing/servers'
import {
  type BinlogFixture,
  collect,
  insertPosts,
  openBinlogFixture,
} from '../testing/binlog-fixture'

setDefaultTimeout(60_000)

const COMMENTS = (id: number) =>
  `INSERT INTO comments (id, post_id, author_id, text, created_at) VALUES (${id}, 1, 1, 'x', 1)`
const STATEMENTS = "SET SESSION binlog_format = 'STATEMENT'"
const ROWS = "SET SESSION binlog_format = 'ROW'"

/** What MySQL really writes into its log for statements, and what a reader of it makes of that. */
describe.skipIf(!testServers.mysql)('statements in the binlog of a server', () => {
  let fixture: BinlogFixture
  let beside: string
  beforeAll(async () => {
    fixture = await openBinlogFixture()
    beside = `${fixture.server.database}_beside`
    await fixture.write(
      `CREATE DATABASE ${beside}`,
      'CREATE TABLE likes_log (id BIGINT PRIMARY KEY) ENGINE=InnoDB',
      'CREATE FUNCTION forget(wanted BIGINT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM comments WHERE id = wanted; RETURN 1; END',
      'CREATE VIEW newest AS SELECT * FROM comments',
      `CREATE TABLE ${beside}.t (id BIGINT PRIMARY KEY)`,
      `CREATE TABLE ${beside}.watched (id BIGINT PRIMARY KEY)`,
      `CREATE TRIGGER ${beside}.w AFTER INSERT ON ${beside}.watched FOR EACH ROW DELETE FROM ${fixture.server.database}.comments WHERE id = NEW.id`,
    )
  })
  afterAll(async () => {
    await fixture?.writer.query(`DROP DATABASE IF EXISTS ${beside}`)
    await fixture?.[Symbol.asyncDispose]()
  })

  /** The message that reading ends with before the marker comes; null where it comes. */
  async function stopsAt(statements: readonly string[]): Promise<string | null> {
    await using source = fixture.source()
    const from = await fixture.head()
    await fixture.write(...statements)
    const marker = 1_000_000 + Math.floor(Math.random() * 1e9)
    await fixture.write(
      `INSERT INTO mutes (muter_id, muted_id, created_at) VALUES (${marker}, 1, 1)`,
    )
    try {
      await collect(source, from, (all) => all.some(({ after }) => after?.muter_id === marker))
      return null
    } catch (error) {
      if (error instanceof OperatorError) return error.message
      throw error
    }
  }

  test.each<[string, (beside: string) => readonly string[], string?]>([
    ['TRUNCATE /* x */ TABLE', () => ['TRUNCATE /* x */ TABLE comments']],
    [
      'TRUNCATE TABLE of a name in ANSI quotes',
      () => [
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')",
        'TRUNCATE TABLE "comments"',
        'SET SESSION sql_mode = DEFAULT',
      ],
    ],
    [
      'TRUNCATE PARTITION',
      () => [
        'ALTER TABLE comments PARTITION BY HASH (id) PARTITIONS 2',
        'ALTER /* x */ TABLE comments TRUNCATE /* x */ PARTITION p0',
        'ALTER TABLE comments REMOVE PARTITIONING',
      ],
    ],
    [
      'EXCHANGE PARTITION of another table',
      () => [
        'CREATE TABLE parts LIKE comments',
        'ALTER TABLE parts PARTITION BY HASH (id) PARTITIONS 1',
        'ALTER TABLE parts EXCHANGE PARTITION p0 WITH TABLE comments',
        'DROP TABLE parts',
      ],
    ],
    [
      'RENAME TABLE as a restore',
      () => [
        'CREATE TABLE restored LIKE comments',
        'RENAME TABLE comments TO before_restore, restored TO comments',
        'DROP TABLE before_restore',
      ],
    ],
    [
      'ALTER /* x */ TABLE … RENAME',
      () => [
        'ALTER /* x */ TABLE comments RENAME comments_old',
        'ALTER TABLE comments_old RENAME TO comments',
      ],
    ],
    [
      'the half of a restore',
      () => [
        'CREATE TABLE spare LIKE comments',
        'DROP TABLE comments',
        'RENAME TABLE spare TO comments',
      ],
    ],
    ['SELECT f()', () => [STATEMENTS, 'SELECT forget(1)', ROWS], 'snapshot'],
    ['DO f()', () => [STATEMENTS, 'DO forget(1)', ROWS], 'snapshot'],
    ['SET @x = f()', () => [STATEMENTS, 'SET @gone = forget(1)', ROWS], 'snapshot'],
    ['a view', () => [STATEMENTS, "UPDATE newest SET text = 'y'", ROWS], 'snapshot'],
    [
      'a comment that the server reads',
      () => [STATEMENTS, '/*!50000 DELETE */ FROM comments', ROWS],
    ],
    [
      'a trigger of a table in another database, used from there',
      (other) => [STATEMENTS, `USE ${other}`, 'INSERT INTO watched VALUES (1)', ROWS],
      'snapshot',
    ],
    [
      'a trigger of the table itself',
      () => [
        'CREATE TRIGGER both_gone AFTER DELETE ON comments FOR EACH ROW DELETE FROM likes WHERE post_id = OLD.id',
        STATEMENTS,
        'DELETE FROM comments',
        ROWS,
        'DROP TRIGGER both_gone',
      ],
      'snapshot',
    ],
  ])('stops at %s', async (_what, statements, command = 'snapshot comments') => {
    const database = fixture.server.database
    await fixture.write(`USE ${database}`, COMMENTS(1))
    const problem = await stopsAt([...statements(beside), ROWS, `USE ${database}`])
    await fixture.write('DELETE FROM comments')
    expect(problem).toContain('transaction ')
    // One command, for one table where no other is concerned.
    expect(problem).toContain(`run "${command}", and start cdc-indexer`)
    expect(problem).not.toContain('\n')
  })

  test.each<[string, (beside: string) => readonly string[]]>([
    [
      'words of its kind in comments, defaults and strings',
      () => [
        "ALTER TABLE posts COMMENT = 'rename it, drop partition p0' /* , RENAME TO x */",
        "ALTER TABLE posts ADD COLUMN note VARCHAR(80) NOT NULL DEFAULT 'x, rename to y' COMMENT 'drop partition p0'",
        'ALTER TABLE posts ADD INDEX `rename to z` (note)',
      ],
    ],
    [
      'RENAME  COLUMN and RENAME INDEX',
      () => [
        'ALTER TABLE posts RENAME  COLUMN note TO remark',
        'ALTER TABLE posts RENAME\nINDEX `rename to z` TO notes',
        'ALTER TABLE posts DROP COLUMN remark',
      ],
    ],
    [
      'the steps of gh-ost',
      () => [
        'CREATE TABLE `_posts_ghc` (id BIGINT PRIMARY KEY)',
        'CREATE TABLE `_posts_gho` LIKE posts',
        'ALTER TABLE `_posts_gho` ADD COLUMN lang VARCHAR(8), ENGINE=InnoDB',
        'INSERT INTO `_posts_gho` SELECT *, NULL FROM posts',
        'rename /* gh-ost */ table posts to `_posts_del`, `_posts_gho` to posts',
        'DROP TABLE IF EXISTS `_posts_ghc`, `_posts_del`',
        'ALTER TABLE posts DROP COLUMN lang',
      ],
    ],
    [
      'the steps of pt-online-schema-change',
      () => [
        'CREATE TABLE `_posts_new` LIKE posts',
        'ALTER TABLE `_posts_new` ADD COLUMN lang VARCHAR(8)',
        'CREATE TRIGGER pt_del AFTER DELETE ON posts FOR EACH ROW DELETE IGNORE FROM `_posts_new` WHERE id = OLD.id',
        'INSERT LOW_PRIORITY IGNORE INTO `_posts_new` SELECT *, NULL FROM posts',
        'ANALYZE TABLE `_posts_new` /* pt-online-schema-change */',
        'RENAME TABLE posts TO `_posts_old`, `_posts_new` TO posts',
        'DROP TABLE IF EXISTS `_posts_old`',
        'ALTER TABLE posts DROP COLUMN lang',
      ],
    ],
    [
      'statements of another database, also as such',
      (other) => [
        `USE ${other}`,
        STATEMENTS,
        'INSERT INTO t VALUES (1)',
        'DELETE FROM t',
        ROWS,
        'TRUNCATE TABLE t',
        'CREATE TABLE posts (id INT)',
        'DROP TABLE posts',
      ],
    ],
    [
      'what belongs to no row',
      () => [
        'OPTIMIZE TABLE posts',
        'FLUSH TABLES posts',
        'CREATE TEMPORARY TABLE likes (id INT PRIMARY KEY)',
        'DROP TEMPORARY TABLE likes',
        'TRUNCATE TABLE likes_log',
      ],
    ],
  ])('reads over %s', async (_what, statements) => {
    const database = fixture.server.database
    const problem = await stopsAt([
      `USE ${database}`,
      insertPosts([1]),
      ...statements(beside),
      ROWS,
      `USE ${database}`,
      'DELETE FROM posts',
    ])
    expect(problem).toBeNull()
  })
})
