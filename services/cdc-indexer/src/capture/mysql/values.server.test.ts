import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Cell } from '@sns/shared/events/change-event'
import { testServers } from '@sns/shared/testing/servers'
import { type BinlogFixture, openBinlogFixture } from '../testing/binlog-fixture'
import { readBothWays } from '../testing/column-values'

setDefaultTimeout(60_000)

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')

/** Types with values (SQL) and what is captured of each. */
const VALUES: Readonly<Record<string, Readonly<Record<string, Cell>>>> = {
  TIME: {
    "'-00:01:00'": '-00:01:00',
    "'-12:34:56'": '-12:34:56',
    "'-838:59:59'": '-838:59:59',
    "'00:00:00'": '00:00:00',
    "'838:59:59'": '838:59:59',
  },
  'TIME(1)': { "'-00:00:00.1'": '-00:00:00.1', "'-01:00:00.0'": '-01:00:00.0' },
  'TIME(6)': {
    "'-00:01:00.000001'": '-00:01:00.000001',
    "'-00:00:59.999999'": '-00:00:59.999999',
    "'-01:00:00'": '-01:00:00.000000',
  },
  DATE: {
    "'0001-01-01'": -62135596800000,
    "'0000-00-00'": '0000-00-00',
    "'2024-00-00'": '2024-00-00',
    "'2024-02-31'": '2024-02-31',
    "'9999-12-31'": 253402214400000,
  },
  DATETIME: {
    "'0001-01-01 00:00:01'": -62135596799000,
    "'0000-00-00 00:00:00'": '0000-00-00 00:00:00',
    "'2024-05-00 01:02:03'": '2024-05-00 01:02:03',
  },
  'DATETIME(3)': { "'2024-02-03 04:05:06.789'": Date.UTC(2024, 1, 3, 4, 5, 6, 789) },
  'DATETIME(6)': { "'2024-02-03 04:05:06.123456'": '2024-02-03 04:05:06.123456' },
  'TIMESTAMP NULL': {
    "'0000-00-00 00:00:00'": '0000-00-00 00:00:00',
    "'2024-02-03 04:05:06'": Date.UTC(2024, 1, 3, 4, 5, 6),
  },
  'TIMESTAMP(6) NULL': { "'1970-01-01 00:00:01.000001'": '1970-01-01 00:00:01.000001' },
  YEAR: { '0': 0, "'0000'": 0, '1901': 1901, '2155': 2155 },
  "ENUM('a','b,c','it''s')": { "'b,c'": 'b,c', "'it''s'": "it's", "'none'": '' },
  "ENUM('','x')": { "''": '', "'x'": 'x', "'none'": '' },
  "SET('','a','b')": { "',a'": 'a', "'a,b'": 'a,b', "''": '', "',b'": 'b' },
  "SET('a','')": { '3': 'a,', "'a'": 'a' },
  'BIT(1)': { "b'1'": base64('01') },
  'BIT(64)': {
    "b'1000000000000000000000000000000000000000000000000000000000000001'":
      base64('8000000000000001'),
  },
  'BINARY(4)': { "x'00ff0000'": base64('00ff0000'), "x'61'": base64('61000000') },
  'CHAR(5)': { "'ab  '": 'ab', "'한글'": '한글' },
  'CHAR(200) CHARACTER SET utf8mb4': { "REPEAT('é', 200)": 'é'.repeat(200) },
  'BIGINT UNSIGNED': {
    '18446744073709551615': '18446744073709551615',
    '9007199254740991': 2 ** 53 - 1,
  },
  'BIGINT ZEROFILL': { '9007199254740993': '9007199254740993', '5': 5 },
  'DECIMAL(20,2) ZEROFILL': { "'42.50'": '42.50', "'0'": '0.00' },
  'DECIMAL(65,30)': {
    "'-0.000000000000000000000000000001'": '-0.000000000000000000000000000001',
    "'99999999999999999999999999999999999.999999999999999999999999999999'":
      '99999999999999999999999999999999999.999999999999999999999999999999',
  },
  'FLOAT(7,2)': { '1.1': Math.fround(1.1) },
  'DOUBLE(10,2)': { '1.25': 1.25 },
  BOOL: { true: 1 },
  POINT: {
    "ST_GeomFromText('POINT(1 2)', 4326)": base64(
      'e610000001010000000000000000000040000000000000f03f',
    ),
  },
  JSON: {
    "CAST(TIMESTAMP'2024-02-03 04:05:06' AS JSON)": '"2024-02-03 04:05:06.000000"',
    "JSON_OBJECT('t', TIMESTAMP'0001-01-01 00:00:00.5')": '{"t":"0001-01-01 00:00:00.500000"}',
    "JSON_ARRAY(CAST('0001-01-01' AS DATE), CAST('-00:01:00' AS TIME))":
      '["0001-01-01","-00:01:00.000000"]',
    "JSON_ARRAY(b'101', x'ff00')": '["base64:type15:BQ==","base64:type15:/wA="]',
    'JSON_ARRAY(1.10, 12345678901234567890.5, -0.5)': '[1.10,12345678901234567890.5,-0.5]',
    'JSON_ARRAY(18446744073709551615, -9223372036854775808, 1e0, 1e20, -0e0, 1.5e-7)':
      '[18446744073709551615,-9223372036854775808,1.0,1e20,-0.0,0.00000015]',
    '\'{"__proto__": {"__proto__": 1}, "a b": [ ]}\'': '{"a b":[],"__proto__":{"__proto__":1}}',
    '\'{"a": 1, "q": "x \\\\" , : y \\\\\\\\", "n": "\\\\u0001\\\\n/"}\'':
      '{"a":1,"n":"\\u0001\\n/","q":"x \\" , : y \\\\"}',
    "'null'": 'null',
    '\'"text"\'': '"text"',
    "'true'": 'true',
    "JSON_ARRAY(REPEAT('x', 70000))": `["${'x'.repeat(70_000)}"]`,
  },
}

describe.skipIf(!testServers.mysql)('values of columns', () => {
  let fixture: BinlogFixture
  beforeAll(async () => {
    fixture = await openBinlogFixture()
    await fixture.write("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  test('are what MySQL shows, in the binlog and in a snapshot', async () => {
    const types = Object.keys(VALUES)
    const columns = Object.values(VALUES).map((values) => Object.entries(values))
    const most = Math.max(...columns.map((values) => values.length))
    const rows = Array.from({ length: most }, (_, n) =>
      columns.map((values) => values[n]?.[0] ?? 'NULL'),
    )
    const { binlog, select } = await readBothWays(fixture, types, rows)
    const told = (read: readonly Readonly<Record<string, Cell>>[]) =>
      types.flatMap((type, at) =>
        (columns[at] ?? []).map(([sql], n) => [type, sql, read[n]?.[`c${at}`]]),
      )
    const wanted = types.flatMap((type, at) =>
      (columns[at] ?? []).map(([sql, cell]) => [type, sql, cell]),
    )
    expect(told(binlog)).toEqual(wanted)
    expect(told(select)).toEqual(wanted)
  })

  test('are every character of every character set', async () => {
    const sets = await fixture.writer.query(
      "SELECT character_set_name AS name, maxlen AS bytes FROM information_schema.character_sets WHERE character_set_name <> 'binary' ORDER BY 1",
    )
    const names = sets.map((row) => String(row.name))
    const { binlog, select } = await readBothWays(
      fixture,
      names.map((name) => `LONGTEXT CHARACTER SET ${name}`),
      [names.map((name) => `(${everyCharacter(name)})`)],
    )
    for (const [n, name] of names.entries()) {
      const [one, other] = [binlog[0]?.[`c${n}`], select[0]?.[`c${n}`]]
      expect([name, differences(one, other)]).toEqual([name, []])
      expect(String(one).length).toBeGreaterThan(100)
    }
    const latin1 = String(binlog[0]?.[`c${names.indexOf('latin1')}`])
    for (const gap of '\u0081\u008d\u008f\u0090\u009d') expect(latin1).toContain(gap)
  })
})

/** All of Unicode's plane 0 and some of the next, cut down to what the set has. */
function everyCharacter(charset: string): string {
  const digit =
    '(VALUES ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15))'
  return `SELECT /*+ SET_VAR(group_concat_max_len = 4000000) */ GROUP_CONCAT(sign ORDER BY code SEPARATOR '') FROM (
    SELECT a.d * 4096 + b.d * 256 + c.d * 16 + e.d AS code,
      CONVERT(CONVERT(UNHEX(LPAD(HEX(a.d * 4096 + b.d * 256 + c.d * 16 + e.d), 8, '0')) USING utf32) USING ${charset}) AS sign
    FROM ${digit} a (d), ${digit} b (d), ${digit} c (d), ${digit} e (d)
    WHERE a.d * 16 + b.d NOT BETWEEN 216 AND 223) every_one
    WHERE sign IS NOT NULL AND (CONVERT(sign USING utf8mb4) <> '?' OR code = 63)`
}

/** Where two texts first differ, with the code points. */
function differences(one: Cell | undefined, other: Cell | undefined): readonly string[] {
  const [left, right] = [[...String(one)], [...String(other)]]
  if (left.length !== right.length) return [`${left.length} and ${right.length} characters`]
  return left
    .flatMap((sign, at) =>
      sign === right[at]
        ? []
        : [
            `${at}: ${sign.codePointAt(0)?.toString(16)} ${right[at]?.codePointAt(0)?.toString(16)}`,
          ],
    )
    .slice(0, 5)
}
