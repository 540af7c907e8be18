import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { COMMENT_TEXT_MAX, POST_TEXT_MAX } from '@sns/shared/domain/post'
import { cleanText } from '@sns/shared/domain/text'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { Roster } from './roster'
import type { Threads } from './threads'
import { readTime } from './times'

export interface Edge {
  readonly follower: number
  readonly followee: number
}

/**
 * Follows from lines of `follower<TAB>followee`, numbers or usernames, as the roster numbers them; `#` comments and blank
 * lines are passed over. Broken lines and self-loops are reported and left out. With `limitUsers`, only edges between
 * users below it and users with names.
 */
export async function* readEdges(
  path: string,
  { roster, limitUsers, broken }: EdgeOptions,
): AsyncGenerator<Edge> {
  let line = 0
  for await (const text of readLines(path)) {
    line++
    if (text === '' || text.startsWith('#')) continue
    const people = text.split(/[\t ]+/)
    if (people.length !== 2 || !people.every(roster.isPerson)) {
      broken.add(path, line, `expected two users with a tab between, found ${quoted(text)}`)
      continue
    }
    const [from = '', to = ''] = people
    if (from.toLowerCase() === to.toLowerCase()) {
      broken.add(path, line, `user ${from} cannot follow itself`)
      continue
    }
    if (people.some((person) => isAbove(person, limitUsers))) continue
    const [follower, followee] = [roster.add(from), roster.add(to)]
    if (follower !== null && followee !== null) yield { follower, followee }
  }
}

interface EdgeOptions {
  readonly roster: Roster
  readonly limitUsers: number
  readonly broken: BrokenLines
}

function isAbove(person: string, limitUsers: number): boolean {
  return /^\d{1,9}$/.test(person) && Number(person) >= limitUsers
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

export interface InputPost {
  readonly text: string
  /** As the roster numbers them; null where the line names nobody. */
  readonly author: number | null
  /** Unix milliseconds; null where the line says nothing. */
  readonly createdAt: number | null
  /** What the input calls it; null where nothing can answer it. */
  readonly id: string | null
  /** The number of the post that it answers, among the posts of the input; null of a post of its own. */
  readonly root: number | null
}

/**
 * The posts of JSON lines `{"text": …, "author"?: …, "createdAt"?: …, "id"?: …, "replyTo"?: …}`, their texts cleaned as the
 * api cleans them; other fields are ignored. Several files of one input share `threads`, in their order.
 */
export async function* readPosts(
  path: string,
  { roster, threads, broken }: PostOptions,
): AsyncGenerator<InputPost> {
  let line = 0
  for await (const json of readLines(path)) {
    line++
    if (json.trim() === '') continue
    const result = parsePost(json, roster)
    if ('problem' in result) {
      broken.add(path, line, result.problem)
      continue
    }
    const root = threads.rootOf(result)
    if (root === undefined) broken.add(path, line, '"replyTo" names no post before it')
    else yield { ...result, root }
  }
}

interface PostOptions {
  readonly roster: Roster
  readonly threads: Threads
  readonly broken: BrokenLines
}

type ParsedPost = Omit<InputPost, 'root'> & { readonly replyTo: string | null }

function parsePost(json: string, roster: Roster): ParsedPost | { readonly problem: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { problem: 'not valid JSON' }
  }
  if (typeof value !== 'object' || value === null || !('text' in value)) {
    return { problem: 'no "text"' }
  }
  const { text, author: name, createdAt: time, ...rest } = value as Record<string, unknown>
  const [id, replyTo] = [rest.id, rest.replyTo].map((each) =>
    each === undefined || each === null ? null : String(each),
  ) as [string | null, string | null]
  if (typeof text !== 'string') return { problem: '"text" is not a string' }
  const cleaned = cleanText(text, replyTo === null ? POST_TEXT_MAX : COMMENT_TEXT_MAX)
  if (!cleaned.ok) return { problem: `text is ${cleaned.problem}` }
  const createdAt = time === undefined ? null : readTime(time, Date.now())
  if (typeof createdAt === 'string') return { problem: `"createdAt" is ${createdAt}` }
  const author = name === undefined ? null : roster.add(String(name))
  if (name !== undefined && author === null) return { problem: '"author" is no username' }
  return { text: cleaned.text, author, createdAt, id, replyTo }
}

/**
 * The lines of a UTF-8 file in order, `.gz` or plain, in constant memory; `\r` before the line end is
 * dropped, and so is an empty last line. Errors: `OperatorError` for a file that is missing,
 * unreadable or a broken archive.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of openFile(path)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield withoutReturn(line)
    }
  } catch (cause) {
    const problem = `${path} cannot be read to its end: ${asError(cause).message}`
    throw new OperatorError(problem, 1, { cause })
  }
  rest += decoder.decode()
  if (rest !== '') yield withoutReturn(rest)
}

/** Bun's own file, which also reads what an executable carries. */
function openFile(path: string): AsyncIterable<Uint8Array> {
  const bytes = Bun.file(path).stream()
  if (!path.endsWith('.gz')) return bytes
  const raw = Readable.from(bytes)
  const unpacked = createGunzip()
  raw.on('error', (error) => unpacked.destroy(error))
  return raw.pipe(unpacked)
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

const SHOWN = 3

/** Counts lines that could not be loaded and remembers the first few, to be shown at the end. */
export interface BrokenLines {
  readonly count: number
  readonly examples: readonly string[]
  add(file: string, line: number, reason: string): void
}

export function createBrokenLines(): BrokenLines {
  let count = 0
  const examples: string[] = []
  return {
    get count() {
      return count
    },
    examples,
    add(file, line, reason) {
      count++
      if (examples.length < SHOWN) examples.push(`${file}:${line}: ${reason}`)
    },
  }
}
