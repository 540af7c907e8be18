import { createHash } from 'node:crypto'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import type { BulkLoader } from '@sns/shared/ports/bulk-loader'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { type Archive, readArchive, readFollowing } from './archive'
import { createNumbering } from './numbering'

export interface ArchiveFiles {
  readonly archive: string
  /** The username of the account, which is there. */
  readonly into: string
  readonly following: string | null
}

export interface ArchiveDeps {
  readonly loader: BulkLoader
  readonly users: Pick<UserStore, 'findByUsername'>
  readonly graph: Pick<GraphStore, 'follow'>
}

export interface ArchiveOptions {
  readonly signal: AbortSignal
  readonly onProgress: (step: 'posts' | 'follows', done: number, total: number) => void
}

export interface ArchiveSummary {
  readonly finished: boolean
  /** In this run: what an earlier one loaded is not loaded again. */
  readonly posts: number
  readonly left: Archive['left']
  readonly followed: number
  /** People of the list who are not here, or whom a block keeps away. */
  readonly notHere: number
}

const BATCH = 1_000

/**
 * Loads what somebody wrote elsewhere into their account, with its times, and follows whoever of their list is here by the
 * same name. Run again, it goes on where it was, and loads nothing twice.
 */
export async function importArchive(
  { archive, into, following }: ArchiveFiles,
  { loader, users, graph }: ArchiveDeps,
  { signal, onProgress }: ArchiveOptions,
): Promise<ArchiveSummary> {
  const account = await users.findByUsername(into)
  if (!account) throw new OperatorError(`there is no account ${into}: sign up first`)
  const { posts, left } = await readArchive(archive)
  const names = following === null ? [] : await readFollowing(following)
  if (posts.length + names.length === 0) {
    throw new OperatorError(`${archive} holds no public post that could be loaded`)
  }
  const source = createHash('sha256')
    .update(`${account.id}\n${await Bun.file(archive).text()}`)
    .digest('hex')
  const state = await loader.open(source)
  const numbering = createNumbering(state.startedAt, posts.length, source)
  const numbered = posts.map(({ text, createdAt }) => ({
    id: numbering.postOf(createdAt),
    authorId: account.id,
    text,
    createdAt,
  }))
  let done = state.done.posts
  onProgress('posts', done, posts.length)
  while (done < posts.length && !signal.aborted) {
    const batch = numbered.slice(done, done + BATCH)
    done += batch.length
    await loader.loadPosts(source, batch, done)
    onProgress('posts', done, posts.length)
  }

  let followed = 0
  for (const [at, name] of names.entries()) {
    if (signal.aborted) break
    const other = await users.findByUsername(name)
    if (other && (await follow(account.id, other.id))) followed += 1
    onProgress('follows', at + 1, names.length)
  }
  return {
    finished: !signal.aborted,
    posts: done - state.done.posts,
    left,
    followed,
    notHere: names.length - followed,
  }

  async function follow(...pair: Parameters<GraphStore['follow']>): Promise<boolean> {
    try {
      await graph.follow(...pair)
      return true
    } catch (error) {
      if (isSnsError(error, 'blocked') || isSnsError(error, 'self_target')) return false
      throw error
    }
  }
}
