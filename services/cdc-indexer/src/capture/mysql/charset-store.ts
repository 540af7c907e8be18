import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { capturedTables } from '@sns/shared/events/tables'
import { MOVE_ON } from '../ports/checkpoint-store'
import { type MysqlSession, numberCell, textCell } from './session'
import {
  type CharsetTables,
  decodingBy,
  nativeDecoding,
  type TextDecoding,
} from './values/charsets'
import type { DecodingOf } from './values/column-reader'

/** How the server's character sets are decoded: by its own tables, where the runtime has none or others. */
export interface CharsetStore {
  /** Learns what the captured tables need, and what was asked for in vain. Throws what the session throws. */
  load(): Promise<void>
  /** Throws a passing error where a table was given a character set since `load`: the next one brings it. */
  readonly decodingOf: DecodingOf
}

const TABLES_TIMEOUT_MS = 60_000
/** Has characters of three bytes, behind 8F. */
const WITH_TRIPLES: ReadonlySet<string> = new Set(['ujis', 'eucjpms'])
const LONGEST = 65_535

export function createCharsetStore(session: Pick<MysqlSession, 'query'>): CharsetStore {
  const decodings = new Map<string, TextDecoding>()
  const wanted = new Set<string>()
  let charsetOf: ReadonlyMap<number, string> = new Map()

  async function loadTables(charset: string): Promise<CharsetTables> {
    const [row] = await session.query(
      'SELECT maxlen AS bytes FROM information_schema.character_sets WHERE character_set_name = ?',
      [charset],
    )
    const isWide = numberCell(row, 'bytes') > 1
    const hasTriples = WITH_TRIPLES.has(charset)
    return {
      single: await characters(charset, ''),
      double: isWide ? await characters(charset, LEAD) : null,
      triple: hasTriples ? await characters(charset, `'8F', ${LEAD}`) : null,
      hasQuadruples: charset === 'gb18030',
    }
  }

  /** What the server makes of each byte behind each lead. The name is the server's own, and so needs no quotes. */
  async function characters(charset: string, lead: string): Promise<Uint16Array> {
    const isLed = lead !== ''
    const rows = await session.query(
      `SELECT /*+ SET_VAR(group_concat_max_len = ${LONGEST}) */ ${isLed ? 'lead_byte' : '0'} AS leads,
         GROUP_CONCAT(IF(LENGTH(text) = 2, HEX(text), '0000') ORDER BY byte SEPARATOR '') AS texts
       FROM (SELECT ${isLed ? 'l.byte AS lead_byte, ' : ''}b.byte, COALESCE(CONVERT(CONVERT(
               UNHEX(CONCAT(${isLed ? `${lead}, ` : ''}LPAD(HEX(b.byte), 2, '0'))) USING ${charset}) USING utf16), '') AS text
             FROM (VALUES ${BYTES}) b (byte)${isLed ? `, (VALUES ${BYTES}) l (byte)` : ''}) each_one
       GROUP BY leads`,
      [],
      TABLES_TIMEOUT_MS,
    )
    const table = new Uint16Array(isLed ? 65_536 : 256)
    for (const row of rows) {
      const texts = Buffer.from(textCell(row, 'texts'), 'hex').swap16()
      table.set(new Uint16Array(new Uint8Array(texts).buffer), numberCell(row, 'leads') * 256)
    }
    return table
  }

  return {
    async load() {
      const collations = await session.query(
        'SELECT id, character_set_name AS charset FROM information_schema.collations',
      )
      charsetOf = new Map(
        collations.map((row) => [numberCell(row, 'id'), textCell(row, 'charset')]),
      )
      const used = await session.query(
        `SELECT DISTINCT character_set_name AS charset FROM information_schema.columns
         WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL
           AND table_name IN (${capturedTables.map(() => '?').join(', ')})`,
        capturedTables,
      )
      for (const row of used) wanted.add(textCell(row, 'charset'))
      for (const charset of wanted) {
        if (decodings.has(charset)) continue
        decodings.set(charset, nativeDecoding(charset) ?? decodingBy(await loadTables(charset)))
      }
    },

    decodingOf(collation) {
      const charset = charsetOf.get(collation)
      if (charset === undefined) {
        throw new OperatorError(
          `a captured table has a column of collation ${collation}, which this MySQL does not have; give it another one, and ${MOVE_ON}`,
        )
      }
      const decoding = decodings.get(charset)
      if (decoding) return decoding
      wanted.add(charset)
      throw storeUnavailable('mysql', new Error(`the characters of ${charset} are not loaded yet`))
    },
  }
}

const BYTES = Array.from({ length: 256 }, (_, byte) => `ROW(${byte})`).join(', ')
const LEAD = "LPAD(HEX(l.byte), 2, '0')"
