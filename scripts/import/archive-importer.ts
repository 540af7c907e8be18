import { createHash } from 'node:crypto'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import type { BulkLoader } from '@sns/shared/ports/bulk-loader'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { type Archive, countsOf, readArchive, readFollowing } from './archive'
import { createNumbering } from './numbering'

export interface ArchiveFiles {
  readonly archive: string
  /** The username of the account, which is there. */
  readonly into: string
  readonly following: string | null
}

export interface ArchiveDeps {
  readonly loader: Pick<BulkLoader, 'loadNotes'>
  readonly users: Pick<UserStore, 'findByUsername'>
  readonly graph: Pick<GraphStore, 'follow'>
}

export interface ArchiveOptions {
  /** Unix milliseconds. */
  readonly now: number
  readonly signal: AbortSignal
  readonly onProgress: (step: 'posts' | 'follows', done: number, total: number) => void
}

export interface ArchiveSummary {
  readonly finished: boolean
  /** Loaded in this run. */
  readonly posts: number
  /** Of the archive, but here already: an earlier run, or an earlier archive, brought them. */
  readonly known: number
  readonly left: Archive['left']
  readonly asText: Archive['asText']
  readonly followed: number
  /** People of the list who are not here, or whom a block keeps away. */
  readonly notHere: number
}

const BATCH = 1_000

/**
 * Loads what somebody wrote elsewhere into their account, with its times, and follows whoever of their list is here by the
 * same name. Run again, with this archive or a later one, it loads nothing twice: a post is known by what its server
 * called it, else by its time and text.
 */
export async function importArchive(
  { archive, into, following }: ArchiveFiles,
  { loader, users, graph }: ArchiveDeps,
  { now, signal, onProgress }: ArchiveOptions,
): Promise<ArchiveSummary> {
  const account = await users.findByUsername(into)
  if (!account) throw new OperatorError(`there is no account ${into}: sign up first`)
  const { posts, left, asText } = await readArchive(archive, now)
  const names = following === null ? [] : await readFollowing(following)
  if (posts.length + names.length === 0) {
    const behind = countsOf(left) || 'nothing'
    throw new OperatorError(
      `${archive} holds no public post that could be loaded; left behind: ${behind}`,
    )
  }
  const numbering = createNumbering(now, posts.length, sha256(await Bun.file(archive).text()))
  const notes = posts.map(({ noteId, text, createdAt }) => ({
    id: numbering.postOf(createdAt),
    authorId: account.id,
    text,
    createdAt,
    note: sha256(noteId === null ? `${createdAt}\n${text}` : `id\n${noteId}`),
  }))
  let [done, loaded] = [0, 0]
  onProgress('posts', done, posts.length)
  while (done < posts.length && !signal.aborted) {
    const batch = notes.slice(done, done + BATCH)
    loaded += await loader.loadNotes(batch)
    done += batch.length
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
    posts: loaded,
    known: done - loaded,
    left,
    asText,
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

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
