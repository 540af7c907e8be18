import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { testServers } from '@sns/shared/testing/servers'
import fc from 'fast-check'
import { type BinlogFixture, openBinlogFixture } from '../testing/binlog-fixture'
import { readBothWays } from '../testing/column-values'

setDefaultTimeout(120_000)

const hex = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`
const quoted = (text: string) => `CONVERT(${hex(Buffer.from(text))} USING utf8mb4)`
const bytes = (most: number) => fc.uint8Array({ maxLength: most }).map(hex)
const text = (most: number) =>
  fc.string({ unit: 'binary', maxLength: most }).map((value) => quoted(value.toWellFormed()))
const whole = (min: bigint, max: bigint) => fc.bigInt({ min, max }).map(String)
const two = (most: number) =>
  fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'))
const micros = fc.integer({ min: 0, max: 999_999 }).map((n) => String(n).padStart(6, '0'))
const year = fc.integer({ min: 0, max: 9_999 }).map((n) => String(n).padStart(4, '0'))
const clock = fc.tuple(two(23), two(59), two(59)).map((parts) => parts.join(':'))
const day = fc.tuple(year, two(12), two(31)).map((parts) => parts.join('-'))
const digits = (most: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most })
    .map((all) => all.join(''))

/** Column types, each with SQL expressions of its values. */
const TYPES: readonly (readonly [string, fc.Arbitrary<string>])[] = [
  ['TINYINT', whole(-128n, 127n)],
  ['SMALLINT UNSIGNED', whole(0n, 65_535n)],
  ['MEDIUMINT', whole(-8_388_608n, 8_388_607n)],
  ['MEDIUMINT UNSIGNED ZEROFILL', whole(0n, 16_777_215n)],
  ['INT', whole(-2_147_483_648n, 2_147_483_647n)],
  ['BIGINT', whole(-(2n ** 63n), 2n ** 63n - 1n)],
  ['BIGINT UNSIGNED ZEROFILL', whole(0n, 2n ** 64n - 1n)],
  [
    'DECIMAL(38,17)',
    fc
      .tuple(fc.boolean(), digits(21), digits(17))
      .map(([isNegative, a, b]) => `${isNegative ? '-' : ''}${a}.${b}`),
  ],
  ['DECIMAL(9,0)', whole(-999_999_999n, 999_999_999n)],
  ['FLOAT', fc.float({ noNaN: true, noDefaultInfinity: true }).map(String)],
  ['DOUBLE', fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)],
  ['BIT(13)', fc.integer({ min: 0, max: 8_191 }).map(String)],
  ['YEAR', fc.oneof(fc.constant('0'), fc.integer({ min: 1_901, max: 2_155 }).map(String))],
  ['DATE', day.map((value) => `'${value}'`)],
  ['DATETIME(3)', fc.tuple(day, clock, micros).map(([a, b, c]) => `'${a} ${b}.${c.slice(0, 3)}'`)],
  ['DATETIME(5)', fc.tuple(day, clock, micros).map(([a, b, c]) => `'${a} ${b}.${c.slice(0, 5)}'`)],
  [
    'TIMESTAMP(6) NULL',
    fc
      .tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), micros)
      .map(([a, b]) => `FROM_UNIXTIME(${a}.${b})`),
  ],
  [
    'TIME(4)',
    fc
      .tuple(fc.boolean(), two(837), two(59), two(59), micros)
      .map(
        ([isNegative, a, b, c, d]) => `'${isNegative ? '-' : ''}${a}:${b}:${c}.${d.slice(0, 4)}'`,
      ),
  ],
  [
    'TIME',
    fc
      .tuple(fc.boolean(), two(838), two(59), two(59))
      .map(([isNegative, ...parts]) => `'${isNegative ? '-' : ''}${parts.join(':')}'`),
  ],
  ['VARCHAR(60) CHARACTER SET utf8mb4', text(20)],
  ['CHAR(60) CHARACTER SET utf16', text(20)],
  ['VARCHAR(60) CHARACTER SET gb18030', text(20)],
  ['TEXT CHARACTER SET sjis', text(20)],
  ['VARCHAR(60) CHARACTER SET latin1', bytes(40)],
  ['VARBINARY(40)', bytes(40)],
  ['BINARY(12)', bytes(12)],
  ['BLOB', bytes(40)],
  ["ENUM('', 'é', 'a,b')", fc.integer({ min: 0, max: 3 }).map(String)],
  ["SET('a', '', 'é', 'd', 'e', 'f', 'g', 'h', 'i')", fc.integer({ min: 0, max: 511 }).map(String)],
  ['JSON', fc.json({ noUnicodeString: false }).map((value) => quoted(value.toWellFormed()))],
  [
    'JSON',
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value) => `CAST(CAST(${value} AS DOUBLE) AS JSON)`),
  ],
  [
    'JSON',
    fc
      .tuple(day, clock)
      .map(([a, b]) => `JSON_ARRAY(CAST('${a} ${b}' AS DATETIME), CAST('-${b}.5' AS TIME(2)))`),
  ],
  [
    'JSON',
    fc
      .tuple(digits(20), digits(9), bytes(90))
      .map(([a, b, c]) => `JSON_OBJECT('n', -${a}.${b}, 'b', ${c})`),
  ],
]

const table = fc
  .subarray([...TYPES], { minLength: 1 })
  .chain((columns) =>
    fc.tuple(
      fc.constant(columns.map(([type]) => type)),
      fc.array(
        fc.tuple(
          ...columns.map(([, value]) =>
            fc.oneof({ weight: 9, arbitrary: value }, fc.constant('NULL')),
          ),
        ),
        { minLength: 1, maxLength: 4 },
      ),
    ),
  )

const RUNS = Number(process.env.VALUES_RUNS ?? 15)

describe.skipIf(!testServers.mysql)('values of columns', () => {
  let fixture: BinlogFixture
  beforeAll(async () => {
    fixture = await openBinlogFixture()
    // Whatever it refuses becomes what MySQL makes of it.
    await fixture.write("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  test('read the same by SELECT and in the binlog, whatever the table and its rows', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ([types, rows]) => {
        const { binlog, select } = await readBothWays(fixture, types, rows)
        expect(binlog).toEqual(select)
        expect(binlog).toHaveLength(rows.length)
      }),
      { numRuns: RUNS },
    )
  })
})
