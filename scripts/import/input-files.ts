import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { POST_TEXT_MAX } from '@sns/shared/domain/post'
import { cleanText } from '@sns/shared/domain/text'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

export interface Edge {
  /** 1-based line in the file. */
  readonly line: number
  readonly follower: number
  readonly followee: number
}

/**
 * Follows from lines of `follower<TAB>followee`, both user numbers; `#` comments and blank lines are
 * passed over. Broken lines and self-loops are reported and left out. With `limitUsers`, only edges
 * between users below it.
 */
export async function* readEdges(
  path: string,
  limitUsers: number,
  broken: BrokenLines,
): AsyncGenerator<Edge> {
  let line = 0
  for await (const text of readLines(path)) {
    line++
    if (text === '' || text.startsWith('#')) continue
    const match = /^(\d{1,9})[\t ]+(\d{1,9})$/.exec(text)
    if (!match) {
      broken.add(path, line, `expected two user numbers with a tab between, found ${quoted(text)}`)
      continue
    }
    const follower = Number(match[1])
    const followee = Number(match[2])
    if (follower === followee) broken.add(path, line, `user ${follower} cannot follow itself`)
    else if (follower < limitUsers && followee < limitUsers) yield { line, follower, followee }
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** The texts of JSON lines `{"text": …}`, cleaned as the api cleans them; other fields are ignored. */
export async function* readPosts(path: string, broken: BrokenLines): AsyncGenerator<string> {
  let line = 0
  for await (const json of readLines(path)) {
    line++
    if (json.trim() === '') continue
    const result = parsePost(json)
    if ('problem' in result) broken.add(path, line, result.problem)
    else yield result.text
  }
}

function parsePost(json: string): { text: string } | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { problem: 'not valid JSON' }
  }
  if (typeof value !== 'object' || value === null || !('text' in value)) {
    return { problem: 'no "text"' }
  }
  if (typeof value.text !== 'string') return { problem: '"text" is not a string' }
  const cleaned = cleanText(value.text, POST_TEXT_MAX)
  return cleaned.ok ? { text: cleaned.text } : { problem: `text is ${cleaned.problem}` }
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
