import { createHash } from 'node:crypto'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type BrokenLines, readEdges, readPosts } from './input-files'
import { createRoster, type Roster } from './roster'
import { createThreads } from './threads'

export interface ImportFiles {
  /** Null where the posts name their authors. */
  readonly graph: string | null
  readonly posts: readonly string[]
  /** Only numbered users below it; Infinity for all. */
  readonly limitUsers: number
}

/** What the files hold, read once before anything is written. */
export interface Survey {
  /** SHA-256 over the files' contents and the limit: the same input has the same one. */
  readonly source: string
  readonly roster: Roster
  /** The numbers of the users that occur, ascending. */
  readonly users: readonly number[]
  readonly follows: number
  readonly posts: number
  /** Posts that answer others become comments on them. */
  readonly comments: number
}

/** Errors: `OperatorError` where there is no user, or a posts file gives no post. */
export async function surveyFiles(files: ImportFiles, broken: BrokenLines): Promise<Survey> {
  const { graph, limitUsers } = files
  const hash = createHash('sha256').update(`${limitUsers}\n`)
  const roster = createRoster()
  let follows = 0
  if (graph !== null) {
    for await (const _ of readEdges(graph, { roster, limitUsers, broken })) follows++
    // Who occurs in broken lines alone is no user.
    if (follows === 0) throw nothingIn(graph, 'no user who could write the posts', broken)
  }
  const threads = createThreads()
  let [posts, comments] = [0, 0]
  for (const path of files.posts) {
    const before = posts + comments
    for await (const { author, root } of readPosts(path, { roster, threads, broken })) {
      if (root === null) posts++
      else comments++
      if (author === null && graph === null) {
        throw new OperatorError(
          `${path} has a post without "author": name one in every line, or give --graph, over whose users they are spread`,
        )
      }
    }
    if (posts + comments === before) throw nothingIn(path, 'no post', broken)
  }
  const paths = [...(graph === null ? [] : [graph]), ...files.posts]
  for (const path of paths) hash.update(`${await fileHash(path)}\n`)
  const source = hash.digest('hex')
  return { source, roster, users: roster.numbers(), follows, posts, comments }
}

function nothingIn(path: string, what: string, broken: BrokenLines): OperatorError {
  const example = broken.examples.find((each) => each.startsWith(`${path}:`))
  return new OperatorError(`${path} holds ${what}; ${example ?? 'it has no line at all'}`)
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk)
  return hash.digest('hex')
}
