/** Queries of one sort, asked in turn; `unseen` ones never repeat. */
export interface QuerySort {
  readonly name: string
  next(): string
}

export const COMMON = 'a common word'
const RARE_POSTS = 5
const COMMON_SHARE = 0.01
const EACH = 200

/** Queries as people ask them, from the texts that are searched: what one text in many has, and what most have. */
export function searchQueries(texts: readonly string[]): readonly QuerySort[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const words = [...counts].sort(([, a], [, b]) => b - a)
  const common = words.filter(([, n]) => n >= texts.length * COMMON_SHARE)
  const rare = words.filter(([, n]) => n <= RARE_POSTS)
  const korean = words.filter(([word, n]) => /^[가-힣]{2,}$/.test(word) && n > RARE_POSTS)
  const phrases = texts.flatMap((text) => /\p{L}{2,} \p{L}{2,}/u.exec(text)?.[0] ?? [])
  return [
    sort('a word nobody wrote', unseen),
    sort('a rare word', inTurn(rare.map(([word]) => word))),
    sort(COMMON, inTurn(common.map(([word]) => word))),
    sort('a Korean word', inTurn(korean.map(([word]) => word))),
    sort('a phrase', inTurn(phrases.map((phrase) => `"${phrase}"`))),
  ].filter((each) => each !== null)
}

function sort(name: string, next: (() => string) | null): QuerySort | null {
  return next && { name, next }
}

let asked = 0

/** Letters in an order that no text has, other ones each time. */
function unseen(): string {
  asked += 1
  return `zxq${asked.toString(26).replaceAll(/\d/g, (digit) => String.fromCharCode(113 + Number(digit)))}xq`
}

function inTurn(all: readonly string[]): (() => string) | null {
  if (all.length === 0) return null
  const step = Math.max(1, Math.floor(all.length / EACH))
  const some = all.filter((_, n) => n % step === 0).slice(0, EACH)
  let at = 0
  return () => some[at++ % some.length] ?? ''
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/\p{L}{2,}/gu) ?? []
}
