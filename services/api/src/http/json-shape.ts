const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING_ARRAY = 0x5b
const CLOSING_ARRAY = 0x5d
const OPENING_OBJECT = 0x7b
const CLOSING_OBJECT = 0x7d
const COMMA = 0x2c

export interface JsonShape {
  /** How many arrays and objects are open at once at most. */
  readonly depth: number
  /** No fewer than there are values in it, arrays and objects included. */
  readonly values: number
  /** Whether all that is opened is closed: where not, the text is no JSON. */
  readonly isClosed: boolean
}

/**
 * How deep and how wide a text of JSON is, told from its bytes in one pass: before it is parsed, as one that is deep or
 * wide costs its parser and whatever walks the result much more than its length.
 */
export function jsonShape(json: Uint8Array): JsonShape {
  let [open, depth, values] = [0, 0, 1]
  let isText = false
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]
    if (isText) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) {
      isText = true
    } else if (byte === OPENING_ARRAY || byte === OPENING_OBJECT) {
      open += 1
      values += 1
      if (open > depth) depth = open
    } else if (byte === CLOSING_ARRAY || byte === CLOSING_OBJECT) {
      open -= 1
    } else if (byte === COMMA) {
      values += 1
    }
  }
  return { depth, values, isClosed: open === 0 && !isText }
}
