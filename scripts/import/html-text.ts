import { Parser } from 'htmlparser2'
import { createTextLines } from './text-lines'

/** A mention in HTML: a link to a profile. */
export interface HtmlMention {
  readonly href: string
  /** What it shows, white space collapsed. */
  readonly label: string
}

/** HTML as text, and how many links have their target in the text because their label does not say it. */
export interface HtmlText {
  readonly text: string
  readonly targets: number
}

const words = (text: string) => new Set(text.split(' '))
/** They begin and end a line. */
const BLOCKS = words(
  'address article aside dd details div dl dt fieldset figcaption figure footer form header hr li main nav section summary table tr',
)
/** They have an empty line around them. */
const PARAGRAPHS = words('p h1 h2 h3 h4 h5 h6 pre blockquote')
const LISTS = words('ul ol')
/** What they hold is not shown. */
const UNSHOWN = words('head script style template title noscript rp')
/** Deeper quotes and lists look as those of this depth, so that no text grows with the square of its depth. */
const DEPTH_MAX = 6

/**
 * The text of HTML as servers of ActivityPub write it: paragraphs, line breaks, lists (`- `, `1. `), quotes (`> `), and links
 * with their target where their label does not say it. `nameOf` writes the mentions. Never throws.
 */
export function htmlText(html: string, nameOf: (mention: HtmlMention) => string): HtmlText {
  const lines = createTextLines()
  /** Of each list that is open the number of its next item; null of one without numbers. */
  const lists: (number | null)[] = []
  let [unshown, quotes, verbatim, targets] = [0, 0, 0, 0]
  /** The link that is open; one within another is a part of it. */
  let link: { readonly href: string; readonly kinds: Set<string>; label: string } | null = null

  function indent(): void {
    const depth = Math.min(DEPTH_MAX, Math.max(0, lists.length - 1))
    lines.prefix('> '.repeat(Math.min(DEPTH_MAX, quotes)) + '  '.repeat(depth))
  }

  function write(text: string): void {
    if (unshown > 0) return
    if (link !== null) link.label += text
    else if (verbatim > 0) lines.verbatim(text)
    else lines.words(text)
  }

  function endLine(name: string): void {
    const isApart = PARAGRAPHS.has(name) || (LISTS.has(name) && lists.length === 0)
    if (!isApart && !BLOCKS.has(name) && !LISTS.has(name)) return
    if (link !== null) link.label += ' '
    else lines.end(isApart ? 2 : 1)
  }

  function beginItem(): void {
    const number = lists.at(-1)
    if (typeof number === 'number') lists[lists.length - 1] = number + 1
    lines.mark(typeof number === 'number' ? `${number}. ` : '- ')
  }

  function endLink(): void {
    if (link === null) return
    const { href, kinds, label: shown } = link
    link = null
    const label = shown.replace(/[ \t\n\r\f]+/g, ' ').trim()
    if (/^[ \t\n\r\f]/.test(shown)) lines.words(' ')
    if (kinds.has('hashtag') || kinds.has('tag')) lines.words(label)
    else if (kinds.has('mention')) lines.words(nameOf({ href, label }))
    else if (!/^https?:\/\//i.test(href)) lines.words(label)
    else if (says(label, href)) lines.words(href)
    else {
      targets += 1
      lines.words(`${label} (${href})`)
    }
    if (/[ \t\n\r\f]$/.test(shown)) lines.words(' ')
  }

  const parser = new Parser({
    onopentag(name, { href = '', class: kinds = '', rel = '', alt, start }) {
      if (UNSHOWN.has(name)) unshown += 1
      endLine(name)
      if (name === 'a' && link === null && unshown === 0) {
        link = { href: href.trim(), kinds: new Set(`${kinds} ${rel}`.split(/\s+/)), label: '' }
      } else if (name === 'br') {
        if (link === null) lines.breakLine()
        else link.label += ' '
      } else if (name === 'img') write(alt ?? '')
      else if (name === 'td' || name === 'th') write(' ')
      else if (LISTS.has(name))
        lists.push(name === 'ol' ? Number.parseInt(start ?? '1', 10) || 1 : null)
      else if (name === 'li') beginItem()
      else if (name === 'blockquote') quotes += 1
      else if (name === 'pre') verbatim += 1
      indent()
    },
    ontext: write,
    onclosetag(name) {
      if (UNSHOWN.has(name)) unshown -= 1
      if (name === 'a') endLink()
      else if (LISTS.has(name)) lists.pop()
      else if (name === 'blockquote') quotes -= 1
      else if (name === 'pre') verbatim -= 1
      endLine(name)
      indent()
    },
  })
  parser.end(html)
  endLink()
  return { text: lines.text(), targets }
}

/** Whether a label says where the link leads: it is the address, or its beginning with `…`, scheme aside. */
function says(label: string, href: string): boolean {
  const [shown, target] = [withoutScheme(label), withoutScheme(href)]
  if (shown === '' || shown === target) return true
  return (
    /[.…]$/.test(label) &&
    shown.includes('.') &&
    target.startsWith(shown.replace(/(?:…|\.{3})$/, ''))
  )
}

function withoutScheme(address: string): string {
  return address.replace(/^https?:\/\/(?:www\.)?|^www\./i, '').replace(/\/$/, '')
}
