const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING_ARRAY = 0x5b
const CLOSING_ARRAY = 0x5d
const OPENING_OBJECT = 0x7b
const CLOSING_OBJECT = 0x7d

export interface JsonNesting {
  /** How many arrays and objects are open at once at most. */
  readonly depth: number
  /** Whether all that is opened is closed: where not, the text is no JSON. */
  readonly isClosed: boolean
}

/**
 * How deeply a text of JSON nests, told from its bytes in one pass: before it is parsed, as a deep text costs its parser
 * and whatever walks the result much more than its length.
 */
export function jsonNesting(json: Uint8Array): JsonNesting {
  let [open, depth] = [0, 0]
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
      if (open > depth) depth = open
    } else if (byte === CLOSING_ARRAY || byte === CLOSING_OBJECT) {
      open -= 1
    }
  }
  return { depth, isClosed: open === 0 && !isText }
}
