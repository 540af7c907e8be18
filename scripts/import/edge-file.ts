import type { BrokenLines } from './broken-lines'
import { readLines } from './line-reader'

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
