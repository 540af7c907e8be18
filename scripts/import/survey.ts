import { createHash } from 'node:crypto'
import { type BrokenLines, readEdges, readPosts } from './input-files'

export interface ImportFiles {
  readonly graph: string
  readonly posts: readonly string[]
  /** Only users numbered below it; Infinity for all. */
  readonly limitUsers: number
}

/** What the files hold, read once before anything is written. */
export interface Survey {
  /** SHA-256 over the files' contents and the limit: the same input has the same one. */
  readonly source: string
  /** The user numbers that occur, ascending. */
  readonly users: readonly number[]
  readonly follows: number
  readonly posts: number
}

export async function surveyFiles(files: ImportFiles, broken: BrokenLines): Promise<Survey> {
  const hash = createHash('sha256').update(`${files.limitUsers}\n`)
  const numbers = new Set<number>()
  let follows = 0
  for await (const { follower, followee } of readEdges(files.graph, files.limitUsers, broken)) {
    numbers.add(follower).add(followee)
    follows++
  }
  let posts = 0
  for (const path of files.posts) for await (const _ of readPosts(path, broken)) posts++
  for (const path of [files.graph, ...files.posts]) hash.update(`${await fileHash(path)}\n`)
  return {
    source: hash.digest('hex'),
    users: [...numbers].sort((a, b) => a - b),
    follows,
    posts,
  }
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk)
  return hash.digest('hex')
}
