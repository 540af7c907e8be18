import { UNSPACED_SCRIPT } from './text-folding'

/** Where a web address in a text ends, and what it links to. */
export interface WebAddress {
  /** UTF-16, exclusive. */
  readonly end: number
  /** Absolute, http or https; null of what looks like an address and is none that may be linked. */
  readonly url: string | null
}

const OTHER_LETTER = '(?![\\0-\\x7F])[\\p{L}\\p{M}\\p{N}]'
const SPACED = `(?!${UNSPACED_SCRIPT})${OTHER_LETTER}`
const UNSPACED = `(?=${UNSPACED_SCRIPT})${OTHER_LETTER}`
/**
 * A part of a host's name. What goes from a script with spaces to one without is a particle (`https://ex.com에서`), but
 * where a further part follows.
 */
const LABEL = `(?:(?:[A-Za-z0-9_-]|${SPACED})+(?:${UNSPACED}(?:[A-Za-z0-9_-]|${OTHER_LETTER})*(?=\\.[A-Za-z]))?|${UNSPACED}(?:[A-Za-z0-9_-]|${OTHER_LETTER})*)`
const HOST = new RegExp(`(?:${LABEL}\\.)*${LABEL}|\\[[0-9A-Fa-f:.]{2,45}\\]`, 'uy')
const PUBLIC_OR_LOCAL = /[.:]|^localhost$/i
/** RFC 1035. */
const HOST_MAX = 253
/** Somebody's name before the host: such an address shows another host than the one it leads to. */
const USER = /(?::[^\s/?#@]*)?@/y
const PORT = /:\d{1,5}(?!\d)/y
/**
 * ASCII but for what delimits an address (RFC 3986, appendix C), and letters of other scripts, as browsers show them; what
 * is written without spaces only after a sign of addresses or more of the same, so that a particle stays out.
 */
const RUN = `(?:[!#-;=?-\\[\\]_a-z{|}~^]|(?<=[/=#&_+~(|%-])(?:${UNSPACED})+|(?<=\\?)(?:${UNSPACED})+(?==)|${SPACED})+`
const PATH = new RegExp(`(?=[/?#])${RUN}`, 'uy')
const WHOLE = new RegExp(RUN, 'uy')

/** They end a sentence or a quotation rather than an address. */
const CLOSING = new Set(".,:;!?'*~([{")
const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

const SCHEME = /https?:\/\//iy
const OTHER_SCHEME = /[a-z][a-z0-9+]{0,30}:\/\//iy
const WWW = /(?=www\.[^.\s]+\.)/iy
/** `ex.com/…`, `ex.com:8000/…`, `ex.com?…`: none to link, as `end.Next` looks the same, but none to look for names in. */
const BARE = /[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,30}\.[a-z][a-z0-9-]{1,62}(?::\d{1,5})?[/?]/iy

/**
 * The web address that begins at `start`, or null. One without a scheme begins only where `isApart`: where nothing touches
 * it on the left.
 */
export function webAddressAt(text: string, start: number, isApart: boolean): WebAddress | null {
  const scheme = endOf(SCHEME, text, start) ?? (isApart ? endOf(WWW, text, start) : null)
  if (scheme !== null) return linkAt(text, start, scheme)
  const isOther = endOf(OTHER_SCHEME, text, start) ?? (isApart ? endOf(BARE, text, start) : null)
  return isOther === null ? null : { end: endOf(WHOLE, text, start) ?? start, url: null }
}

/** Of a link whose host begins at `from`. */
function linkAt(text: string, start: number, from: number): WebAddress {
  const hostEnd = endOf(HOST, text, from) ?? from
  const isHost =
    hostEnd - from <= HOST_MAX &&
    PUBLIC_OR_LOCAL.test(text.slice(from, hostEnd)) &&
    endOf(USER, text, hostEnd) === null
  if (isHost) {
    const pathFrom = endOf(PORT, text, hostEnd) ?? hostEnd
    const pathEnd = endOf(PATH, text, pathFrom) ?? pathFrom
    const end = pathFrom + unclosedLength(text.slice(pathFrom, pathEnd))
    const address = text.slice(start, end)
    const url = from === start ? `https://${address}` : address
    if (URL.canParse(url)) return { end, url }
  }
  return { end: endOf(WHOLE, text, start) ?? start, url: null }
}

function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : null
}

/** The length of a path without what ends the sentence around it, and without brackets that it did not open. */
function unclosedLength(path: string): number {
  const counts: Record<string, number> = {}
  for (const sign of path) counts[sign] = (counts[sign] ?? 0) + 1
  let end = path.length
  for (; end > 0; end -= 1) {
    const last = path.charAt(end - 1)
    const opening = PAIRS[last]
    const isExtra = opening !== undefined && (counts[last] ?? 0) > (counts[opening] ?? 0)
    if (!isExtra && !CLOSING.has(last)) break
    counts[last] = (counts[last] ?? 0) - 1
  }
  return end
}
