import { describe, expect, test } from 'bun:test'
import { readStatement } from './binlog-statement'
import { isQueryEvent, readQueryEvent, readServerVersion } from './query-event'
import { SQL_MODE } from './sql-tokens'

const QUERY = 2
const LOAD = 18
const SHIFT_JIS = 13
const LATIN1 = 8
const UTF8MB4 = 255

interface Made {
  readonly type?: number
  readonly sql: Uint8Array | string
  readonly schema?: string
  readonly sqlMode?: number
  readonly client?: number
  /** How many there are, and their names. */
  readonly databases?: readonly [number, ...string[]] | undefined
}

/** The packet of a query as a server sends it, at an offset of its buffer and with a checksum. */
function packetOf(made: Made) {
  const { type = QUERY, sql, schema = 'sns', sqlMode = 0, client = UTF8MB4, databases } = made
  const mode = Buffer.alloc(8)
  mode.writeUInt32LE(sqlMode)
  const charset = Buffer.alloc(6)
  charset.writeUInt16LE(client)
  const status = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 1]),
    mode,
    Buffer.from([6, 3]),
    Buffer.from('std'),
    Buffer.from([4]),
    charset,
    Buffer.from([5, 1]),
    Buffer.from('Z'),
    ...(databases
      ? [
          Buffer.from([12, databases[0]]),
          Buffer.from(
            databases
              .slice(1)
              .map((name) => `${name}\0`)
              .join(''),
          ),
        ]
      : []),
    Buffer.from([13, 1, 1, 1, 99, 1, 2, 3]),
  ])
  const post = Buffer.alloc(type === LOAD ? 26 : 13)
  post[8] = schema.length
  post.writeUInt16LE(status.length, 11)
  const header = Buffer.alloc(7 + 4 + 1 + 19)
  header[7 + 4 + 5] = type
  header.writeUInt32LE(4_711, 7 + 4 + 1 + 13)
  const buffer = Buffer.concat([
    header,
    post,
    status,
    Buffer.from(`${schema}\0`),
    Buffer.from(sql),
    Buffer.from([1, 2, 3, 4]),
  ])
  return { buffer, start: 7, end: buffer.length }
}

function read(made: Made) {
  const options = { version: 90_704, hasChecksum: true }
  return readQueryEvent(packetOf(made), made.type ?? QUERY, options)
}

describe('a Query event', () => {
  test('has the statement with what its session had set', () => {
    const made = {
      sql: 'TRUNCATE "posts"',
      sqlMode: SQL_MODE.ansiQuotes | SQL_MODE.noBackslashEscapes,
      databases: [2, 'sns', 'elsewhere'] as const,
    }
    expect(read(made)).toEqual({
      sql: 'TRUNCATE "posts"',
      schema: 'sns',
      endPos: 4_711,
      sqlMode: made.sqlMode,
      version: 90_704,
      databases: ['sns', 'elsewhere'],
    })
  })

  test.each<[string, Made['databases'], readonly string[] | null]>([
    ['does not say', undefined, null],
    ['had too many to say', [254], null],
    ['used none', [0], []],
  ])('that %s which databases it used', (_, databases, expected) => {
    expect(read({ sql: 'DO f()', databases }).databases).toEqual(expected)
  })

  test('may be of a LOAD DATA', () => {
    expect([2, 18, 17, 3, null].map(isQueryEvent)).toEqual([true, true, false, false, false])
    const { sql } = read({ type: LOAD, sql: "LOAD DATA INFILE 'x' INTO TABLE posts" })
    expect(sql).toBe("LOAD DATA INFILE 'x' INTO TABLE posts")
  })

  test('a sign whose second byte is a backslash escapes nothing', () => {
    // A katakana of one byte, then ソ and 表 in Shift-JIS.
    const sql = Buffer.concat([
      Buffer.from("ALTER TABLE posts COMMENT '"),
      Buffer.from([0xb1, 0x83, 0x5c, 0x95, 0x5c]),
      Buffer.from("', RENAME TO x -- '"),
    ])
    const tables = (client: number) => {
      const query = read({ sql, client })
      const statement = readStatement(query.sql, 'sns', 'sns', query)
      return statement.kind === 'unreadable' ? statement.tables : null
    }
    expect(tables(SHIFT_JIS)).toEqual(['posts'])
    expect(tables(LATIN1)).toBeNull()
  })

  test("latin1's space is one", () => {
    const sql = Buffer.from('TRUNCATE\xa0TABLE\xa0posts', 'latin1')
    expect(read({ sql, client: LATIN1 }).sql).toBe('TRUNCATE\u00a0TABLE\u00a0posts')
  })
})

test('the server that writes the log says its version', () => {
  const { buffer, start, end } = packetOf({ type: 15, sql: '' })
  buffer.write('9.7.4-2-debug\0', start + 24 + 2)
  expect(readServerVersion({ buffer, start, end }, 15)).toBe(90_704)
  expect(readServerVersion({ buffer, start, end }, QUERY)).toBeNull()
})
