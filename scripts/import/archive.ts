import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type ArchivedNote, type ArchivedPost, archivedPost } from './archived-post'
import { type Fields, record } from './json-fields'
import { readActivity } from './mastodon-outbox'
import { readNote } from './misskey-notes'

/** What somebody wrote elsewhere, oldest first, and what becomes of the rest. */
export interface Archive {
  readonly posts: readonly ArchivedPost[]
  /** How many posts stay behind, by reason, and what stays behind of those that come: media, quoted posts. */
  readonly left: Tally
  /** What comes as text only: polls, link targets, content warnings. */
  readonly asText: Tally
}

/** How often each thing was met, in the order in which they were met first. */
export type Tally = Readonly<Record<string, number>>

/**
 * Reads an account's archive: Mastodon's `outbox.json` (an ActivityStreams collection) or Misskey's export of notes (an
 * array). Only public posts come: what was for some is nobody else's. Replies and boosts are about what is not here.
 * `now`: Unix milliseconds. Errors: `OperatorError`.
 */
export async function readArchive(path: string, now: number): Promise<Archive> {
  const { items, readItem } = itemsOf(path, await readJson(path))
  const [left, asText] = [new Map<string, number>(), new Map<string, number>()]
  const posts: ArchivedPost[] = []
  for (const item of items) {
    const note = readItem(record(item))
    const post = typeof note === 'string' ? note : archivedPost(note, now)
    if (typeof post === 'string') count(left, post)
    else posts.push(post)
    if (typeof note === 'string') continue
    count(left, 'media', note.media)
    if (typeof post === 'string') continue
    count(left, 'quoted posts', note.quotes)
    count(asText, 'polls', note.choices.length > 0 ? 1 : 0)
    count(asText, 'link targets', note.targets)
    count(asText, 'content warnings', note.warning === '' ? 0 : 1)
  }
  posts.sort((a, b) => a.createdAt - b.createdAt)
  return { posts, left: Object.fromEntries(left), asText: Object.fromEntries(asText) }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return await Bun.file(path).json()
  } catch (cause) {
    const problem = `${path} cannot be read as JSON: ${asError(cause).message}`
    throw new OperatorError(problem, 1, { cause })
  }
}

interface Items {
  readonly items: readonly unknown[]
  /** The note, or why it stays behind. */
  readonly readItem: (item: Fields) => ArchivedNote | string
}

function itemsOf(path: string, value: unknown): Items {
  if (Array.isArray(value)) return { items: value, readItem: readNote }
  const { orderedItems } = record(value)
  if (Array.isArray(orderedItems)) return { items: orderedItems, readItem: readActivity }
  throw new OperatorError(
    `${path} is neither Mastodon's outbox.json nor an export of Misskey's notes`,
  )
}

function count(tally: Map<string, number>, what: string, by = 1): void {
  if (by > 0) tally.set(what, (tally.get(what) ?? 0) + by)
}

/** `3 replies, 1 media` */
export function countsOf(tally: Tally): string {
  return Object.entries(tally)
    .map(([what, times]) => `${times} ${what}`)
    .join(', ')
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
