/** Turns a column's bytes into text as its server does. */
export type TextDecoding = (bytes: Buffer, from: number, to: number) => string

/** The characters of a character set that the runtime does not know, by their bytes; 0 where there is none. */
export interface CharsetTables {
  /** Of one byte each, 256. */
  readonly single: Uint16Array
  /** Of two bytes, 65,536; null where each has one. */
  readonly double: Uint16Array | null
  /** Of those that begin with 8F, the two bytes after it. */
  readonly triple: Uint16Array | null
  /** Whether a digit as the second byte begins a character of four. */
  readonly hasQuadruples: boolean
}

/** What the runtime decodes as MySQL does. */
const NATIVE: Readonly<Record<string, TextDecoding>> = {
  utf8mb4: (bytes, from, to) => bytes.toString('utf8', from, to),
  utf8mb3: (bytes, from, to) => bytes.toString('utf8', from, to),
  ascii: (bytes, from, to) => bytes.toString('utf8', from, to),
  ucs2: bigEndian,
  utf16: bigEndian,
  utf16le: (bytes, from, to) => bytes.toString('utf16le', from, to),
  utf32(bytes, from, to) {
    let text = ''
    for (let at = from; at + 4 <= to; at += 4) text += String.fromCodePoint(bytes.readUInt32BE(at))
    return text
  },
}

export function nativeDecoding(charset: string): TextDecoding | null {
  return NATIVE[charset] ?? null
}

function bigEndian(bytes: Buffer, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).swap16().toString('utf16le')
}

const UNKNOWN = '?'
const TRIPLE = 0x8f
const gb18030 = new TextDecoder('gb18030')

/** What stands for no character is a question mark, as the server writes it. */
export function decodingBy(tables: CharsetTables): TextDecoding {
  const { single } = tables
  return (bytes, from, to) => {
    let text = ''
    for (let at = from; at < to; ) {
      const first = bytes[at] ?? 0
      const wide = first < 0x80 ? null : wideCharacter(tables, bytes, at, to)
      text += wide?.text ?? characterOf(single, first)
      at += wide?.length ?? 1
    }
    return text
  }
}

/** One of several bytes; null where the byte stands for itself. */
function wideCharacter(
  { double, triple, hasQuadruples }: CharsetTables,
  bytes: Buffer,
  at: number,
  to: number,
): { readonly text: string; readonly length: number } | null {
  if (!double || at + 1 >= to) return null
  const pair = bytes.readUInt16BE(at)
  if (double[pair]) return { text: characterOf(double, pair), length: 2 }
  if (triple && bytes[at] === TRIPLE && at + 2 < to) {
    return { text: characterOf(triple, bytes.readUInt16BE(at + 1)), length: 3 }
  }
  if (hasQuadruples && at + 3 < to)
    return { text: quadruple(bytes.subarray(at, at + 4)), length: 4 }
  return null
}

/** Those of four bytes are counted through, which the runtime does as the server does. */
function quadruple(bytes: Buffer): string {
  const text = gb18030.decode(bytes)
  return text === '\ufffd' && bytes.toString('hex') !== '8431a437' ? UNKNOWN : text
}

function characterOf(table: Uint16Array, code: number): string {
  const character = table[code] ?? 0
  return character === 0 && code > 0 ? UNKNOWN : String.fromCharCode(character)
}
