import { foldedPrefix, UNSPACED_SCRIPT } from './text-folding'
import { webAddressAt } from './web-address'

interface Place {
  /** In code points. */
  readonly start: number
  /** In code points, exclusive. */
  readonly end: number
}

/** Somebody or something that a text names. */
export type Entity =
  | (Place & {
      readonly type: 'mention'
      /** As written; whether there is such a user is not looked up. */
      readonly username: string
    })
  | (Place & {
      readonly type: 'hashtag'
      /** As written, without the sign. */
      readonly tag: string
    })
  | (Place & {
      readonly type: 'link'
      /** As written, with `https://` where the text has no scheme. */
      readonly url: string
    })

export const TAG_MAX = 100
/** A text of 2,000 characters could name a thousand people. */
const ENTITIES_MAX = 50

const ANY = /[@#＃﹟]|:\/\/|www\./iu
const ASCII_WORD = /[A-Za-z0-9_]+/y
const OTHER_WORD = /(?:(?![\0-\x7F])[\p{L}\p{M}\p{N}])+/uy
const UNSPACED_END = new RegExp(`${UNSPACED_SCRIPT}$`, 'u')
/** Signs that join what stands around them: in addresses of mail, paths and queries. */
const JOINING = /[.+=%~^*$|\\/&\u2010\u2011-]/
/** They do not show, so they end nothing. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}+/uy
const KEYCAP = /(?:[#*0-9]\uFE0F?)?\u20E3/y
const KEYCAP_MARK = /[\uFE0F\u20E3]/

const NAME = /@([A-Za-z0-9_]{2,30})/y
const NAMEABLE = `(?!${UNSPACED_SCRIPT})[\\p{L}\\p{M}\\p{N}_]`
const IGNORED = '\\p{Default_Ignorable_Code_Point}*(?!\\p{Default_Ignorable_Code_Point})'
/**
 * What makes a name another one, not of here: it goes on (`@josé`, `@ada-lee`, `@ada/core`), or a server follows
 * (`@ada@pods.example`, `@ada.bsky.social`, `@ada:matrix.example`). A particle of a script without spaces does not.
 */
const OTHERS_NAME = new RegExp(
  `${IGNORED}(?:[@＠﹫\\p{M}]|(?:[./\\u2010\\u2011]|-+)?${IGNORED}${NAMEABLE}|:[A-Za-z0-9-]+\\.[A-Za-z0-9])`,
  'uy',
)

/** A hashtag of UAX 31, with the signs that stand within words of Persian, Catalan and Japanese. */
const TAG =
  /[#＃﹟]([\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_]|(?:\u200C|\u200D|[\u00B7\u30FB\uFF65])(?=[\p{L}\p{N}_]))*)/uy
/** Before it, a sign is one of an HTML entity, a path or a query. */
const NO_TAG_AFTER = /[&/=]/

/** What touches a place on the left: nothing that matters, a word, or a word and signs that join. */
type Left = 'open' | 'word' | 'unspaced word' | 'joined'

/**
 * The mentions, hashtags and links of a text, in its order. One walk finds all three, so none is found within another.
 * Linear in the length of the text.
 */
export function findEntities(text: string): readonly Entity[] {
  if (!ANY.test(text)) return []
  const entities: Entity[] = []
  // A function sets them too, which the compiler does not see.
  let left = 'open' as Left
  let at = 0
  let points = 0

  /** Goes to `end`; the place that it leaves behind. */
  function pass(end: number, next: Left): Place {
    const start = points
    points += countPoints(text, at, end)
    at = end
    left = next
    return { start, end: points }
  }

  while (at < text.length && entities.length < ENTITIES_MAX) {
    const isAscii = text.charCodeAt(at) < 0x80
    const ignorable = isAscii ? null : endOf(IGNORABLE, text, at)
    if (ignorable !== null) {
      const isSpace = left !== 'open' && text.slice(at, ignorable).includes('\u200B')
      pass(ignorable, isSpace ? 'joined' : left)
      continue
    }
    const keycap = KEYCAP_MARK.test(text.charAt(at + (isAscii ? 1 : 0)))
      ? endOf(KEYCAP, text, at)
      : null
    if (keycap !== null) {
      pass(keycap, 'open')
      continue
    }
    const word = endOf(isAscii ? ASCII_WORD : OTHER_WORD, text, at)
    if (word !== null) {
      const address = webAddressAt(text, at, left === 'open' || left === 'unspaced word')
      if (address !== null && address.end > at) {
        const { end, url } = address
        const place = pass(end, 'word')
        if (url !== null) entities.push({ type: 'link', ...place, url })
      } else {
        pass(
          word,
          UNSPACED_END.test(text.slice(Math.max(at, word - 2), word)) ? 'unspaced word' : 'word',
        )
      }
      continue
    }
    const sign = text.charAt(at)
    if (sign === '@') {
      const username = left === 'open' ? usernameAt(text, at) : null
      if (username === null) pass(at + 1, 'word')
      else {
        entities.push({ type: 'mention', ...pass(at + 1 + username.length, 'word'), username })
        // `@ada/@bob`
        if (JOINING.test(text.charAt(at)) && text.charAt(at + 1) === '@') pass(at + 1, 'open')
      }
    } else if (sign === '＠' || sign === '﹫') {
      pass(at + 1, 'word')
    } else if (sign === '#' || sign === '＃' || sign === '﹟') {
      const isApart = left !== 'word' && left !== 'unspaced word'
      const tag = isApart && !NO_TAG_AFTER.test(text.charAt(at - 1)) ? tagAt(text, at) : null
      if (tag === null) {
        // Of many signs only the last can begin a tag.
        let end = at + 1
        while (text.charAt(end) === sign && text.charAt(end + 1) === sign) end += 1
        pass(end, left === 'open' ? 'open' : 'joined')
      } else entities.push({ type: 'hashtag', ...pass(at + 1 + tag.length, 'word'), tag })
    } else if (JOINING.test(sign)) {
      pass(at + 1, left === 'open' && sign !== '/' ? 'open' : 'joined')
    } else {
      const isPair = (text.codePointAt(at) ?? 0) > 0xffff
      pass(at + (isPair ? 2 : 1), 'open')
    }
  }
  return entities
}

/** The name of the mention that begins at `at`, unless it is one of another place. */
function usernameAt(text: string, at: number): string | null {
  NAME.lastIndex = at
  const username = NAME.exec(text)?.[1]
  if (username === undefined) return null
  return endOf(OTHERS_NAME, text, at + 1 + username.length) === null ? username : null
}

/** What the hashtag that begins at `at` says, unless it is of digits alone or too long. */
function tagAt(text: string, at: number): string | null {
  TAG.lastIndex = at
  const tag = TAG.exec(text)?.[1]
  if (tag === undefined || !/\p{L}/u.test(tag)) return null
  return countPoints(tag, 0, tag.length) <= TAG_MAX ? tag : null
}

function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : null
}

function countPoints(text: string, start: number, end: number): number {
  let count = end - start
  for (let at = start; at < end - 1; at += 1) {
    if ((text.codePointAt(at) ?? 0) <= 0xffff) continue
    count -= 1
    at += 1
  }
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

/** Tags are one where search takes them for one: case, accents and width aside. */
export function tagKey(tag: string): string {
  return foldedPrefix(tag, TAG_MAX)
}
