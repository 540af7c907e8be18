import { POST_TEXT_MAX } from '@sns/shared/domain/post'
import { cleanText } from '@sns/shared/domain/text'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

/** What somebody wrote elsewhere, oldest first, and what of it stays behind. */
export interface Archive {
  readonly posts: readonly ArchivedPost[]
  readonly left: Readonly<Record<Reason, number>>
}

export interface ArchivedPost {
  readonly text: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

const REASONS = ['not public', 'replies', 'boosts', 'without a text', 'too long'] as const
type Reason = (typeof REASONS)[number]

/**
 * Reads an account's archive: Mastodon's `outbox.json` (an ActivityStreams collection) or Misskey's export of notes (an
 * array). Only public posts come: what was for some is nobody else's. Replies and boosts are about what is not here.
 * Errors: `OperatorError`.
 */
export async function readArchive(path: string): Promise<Archive> {
  let value: unknown
  try {
    value = await Bun.file(path).json()
  } catch (cause) {
    throw new OperatorError(`${path} cannot be read as JSON: ${asError(cause).message}`, 1, {
      cause,
    })
  }
  const items = Array.isArray(value) ? value : record(value).orderedItems
  if (!Array.isArray(items)) {
    throw new OperatorError(
      `${path} is neither Mastodon's outbox.json nor an export of Misskey's notes`,
    )
  }
  const left = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>
  const posts: ArchivedPost[] = []
  for (const item of items.map(record)) {
    const read = 'orderedItems' in record(value) ? readActivity(item) : readNote(item)
    if (typeof read === 'string') left[read] += 1
    else posts.push(read)
  }
  posts.sort((a, b) => a.createdAt - b.createdAt)
  return { posts, left }
}

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

const PUBLIC: readonly unknown[] = [
  'https://www.w3.org/ns/activitystreams#Public',
  'as:Public',
  'Public',
]

/** An activity of an outbox: `Create` with a note, whose content is HTML. */
function readActivity({ type, object, published, to }: Fields): ArchivedPost | Reason {
  if (type !== 'Create') return 'boosts'
  const note = record(object)
  if (note.inReplyTo !== null && note.inReplyTo !== undefined) return 'replies'
  if (![note.to ?? to].flat().some((each) => PUBLIC.includes(each))) return 'not public'
  return post(textOf(String(note.content ?? '')), note.published ?? published)
}

/** A note of Misskey's export: plain text. */
function readNote({
  text,
  createdAt,
  replyId,
  renoteId,
  visibility,
}: Fields): ArchivedPost | Reason {
  if (replyId) return 'replies'
  if (visibility !== 'public' && visibility !== 'home') return 'not public'
  if (renoteId && !text) return 'boosts'
  return post(typeof text === 'string' ? text : '', createdAt)
}

function post(text: string, time: unknown): ArchivedPost | Reason {
  const cleaned = cleanText(text, POST_TEXT_MAX)
  if (!cleaned.ok) return cleaned.problem === 'too_long' ? 'too long' : 'without a text'
  const createdAt = Date.parse(String(time))
  return Number.isFinite(createdAt) ? { text: cleaned.text, createdAt } : 'without a text'
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** The text of the HTML that ActivityPub servers write: paragraphs, breaks and links. */
function textOf(html: string): string {
  return html
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<\/p>\s*<p[^>]*>/gi, '\n\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
      if (name) return NAMED[name.toLowerCase()] ?? whole
      const code = decimal ? Number(decimal) : Number.parseInt(hex, 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : ''
    })
}

/** The names before the `@` of the addresses in Mastodon's `following_accounts.csv` or Misskey's list of them. */
export async function readFollowing(path: string): Promise<readonly string[]> {
  const text = await Bun.file(path)
    .text()
    .catch((cause: unknown) => {
      throw new OperatorError(`${path} cannot be read: ${asError(cause).message}`, 1, { cause })
    })
  const names = text
    .split(/\r?\n/)
    .flatMap((line) => /^"?@?([A-Za-z0-9_]+)@[^,\s"]+/.exec(line)?.[1] ?? [])
  return [...new Set(names)]
}
