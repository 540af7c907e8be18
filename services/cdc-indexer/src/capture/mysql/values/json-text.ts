/** A JSON without the white space between its values; all else stays as it is, to the digit. */
export function compactJson(text: string): string {
  let compact = ''
  for (let at = 0; at < text.length; ) {
    const opens = text.indexOf('"', at)
    const between = opens < 0 ? text.slice(at) : text.slice(at, opens)
    compact += between.replace(/\s+/g, '')
    if (opens < 0) break
    at = endOfString(text, opens + 1)
    compact += text.slice(opens, at)
  }
  return compact
}

/** Behind the quote that ends it. */
function endOfString(text: string, from: number): number {
  for (let at = from; ; ) {
    const closes = text.indexOf('"', at)
    if (closes < 0) return text.length
    let escapes = 0
    while (text[closes - 1 - escapes] === '\\') escapes += 1
    at = closes + 1
    if (escapes % 2 === 0) return at
  }
}
