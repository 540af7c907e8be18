/** Somebody or something that a text names. Places count code points, the end exclusive. */
export type Entity =
  | {
      readonly type: 'mention'
      readonly start: number
      readonly end: number
      /** As written; whether there is such a user is not looked up. */
      readonly username: string
    }
  | {
      readonly type: 'hashtag'
      readonly start: number
      readonly end: number
      /** As written, without the sign. */
      readonly tag: string
    }

export const TAG_MAX = 100
/** A text of 2,000 characters could name a thousand people. */
const ENTITIES_MAX = 50

/**
 * `@name` where no letter, digit or `/`, `@`, `.` touches it on the left (so none in an address or a link), up to where the
 * name ends: a Korean particle may follow. `#tag` or `＃tag`, of letters, marks, digits and `_` (as UAX 31 proposes for
 * hashtags), not of digits alone, where neither a word nor `&` or `/` touches it on the left.
 */
const ENTITY =
  /(?<![\p{L}\p{M}\p{N}_@/.])@([A-Za-z0-9_]{2,30})(?![A-Za-z0-9_@])|(?<![\p{L}\p{M}\p{N}_&/])[#＃](?=[\p{M}\p{N}_]*\p{L})([\p{L}\p{M}\p{N}_]{1,100})(?![\p{L}\p{M}\p{N}_])/gu

/** The mentions and hashtags of a text, in its order. */
export function findEntities(text: string): readonly Entity[] {
  if (!/[@#＃]/.test(text)) return []
  const entities: Entity[] = []
  let [at, points] = [0, 0]
  for (const match of text.matchAll(ENTITY)) {
    const [whole, username, tag] = match
    points += countPoints(text.slice(at, match.index))
    const end = points + countPoints(whole)
    if (username !== undefined) entities.push({ type: 'mention', start: points, end, username })
    else if (tag !== undefined) entities.push({ type: 'hashtag', start: points, end, tag })
    if (entities.length >= ENTITIES_MAX) break
    points = end
    at = match.index + whole.length
  }
  return entities
}

function countPoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** Usernames that a text names, each once, in lower case. */
export function mentionedIn(text: string): readonly string[] {
  const names = findEntities(text).flatMap((each) =>
    each.type === 'mention' ? [each.username.toLowerCase()] : [],
  )
  return [...new Set(names)]
}

/** What tags of one text are looked up by, each once. */
export function tagKeysIn(text: string): readonly string[] {
  const keys = findEntities(text).flatMap((each) =>
    each.type === 'hashtag' ? [tagKey(each.tag)] : [],
  )
  return [...new Set(keys)]
}

/** Tags that differ in case or width alone are one. */
export function tagKey(tag: string): string {
  return [...tag.normalize('NFKC').toLowerCase().normalize('NFC')].slice(0, TAG_MAX).join('')
}
