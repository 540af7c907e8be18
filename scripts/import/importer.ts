import { idTime } from '@sns/shared/domain/id'
import type { BulkLoader, ImportState, ImportStep, LoadedPost } from '@sns/shared/ports/bulk-loader'
import { createBrokenLines, type InputPost, readEdges, readPosts } from './input-files'
import { authorOf, createNumbering } from './numbering'
import { type ImportFiles, type Survey, surveyFiles } from './survey'

/** Rows a transaction: as many as SQLite takes in one statement, with the columns that posts have. */
const BATCH = 4_000

export interface ImportOptions {
  /** Of every imported user; an argon2 hash, or one that no password can match. */
  readonly passwordHash: string
  readonly signal: AbortSignal
  readonly onProgress: (step: ImportStep, done: number, total: number) => void
}

export interface ImportSummary {
  readonly finished: boolean
  /** Whether an earlier run had loaded all of it. */
  readonly isRepeat: boolean
  readonly users: number
  readonly follows: number
  /** Of the follows read in this run, those that existed already. */
  readonly repeatedFollows: number
  readonly posts: number
  readonly broken: { readonly count: number; readonly examples: readonly string[] }
}

/**
 * Loads a follow graph and posts: users, follows, then posts. Posts that do not say whose or when they are, are spread
 * over the users and over the last 30 days. After an interruption, a call with the same files resumes the import.
 */
export async function importFiles(
  files: ImportFiles,
  loader: BulkLoader,
  options: ImportOptions,
): Promise<ImportSummary> {
  const broken = createBrokenLines()
  const survey = await surveyFiles(files, broken)
  const state = await loader.open(survey.source)
  const run = {
    files,
    survey,
    state,
    loader,
    options,
    numbering: createNumbering(state.startedAt, survey.posts, survey.source),
  }
  const stopped = () => options.signal.aborted
  const isRepeat =
    state.done.users === survey.users.length &&
    state.done.follows === survey.follows &&
    state.done.posts === survey.posts

  if (!stopped()) await importUsers(run)
  const repeatedFollows = stopped() ? 0 : await importFollows(run)
  if (!stopped()) await importPosts(run)
  return {
    finished: !stopped(),
    isRepeat,
    users: survey.users.length,
    follows: survey.follows,
    repeatedFollows,
    posts: survey.posts,
    broken,
  }
}

interface Run {
  readonly files: ImportFiles
  readonly survey: Survey
  readonly state: ImportState
  readonly loader: BulkLoader
  readonly options: ImportOptions
  readonly numbering: ReturnType<typeof createNumbering>
}

async function importUsers({ survey, state, loader, options, numbering }: Run): Promise<void> {
  await load(survey.users, 'users', survey.users.length, state, options, (batch, done) =>
    loader.loadUsers(
      survey.source,
      batch.map((n) => ({ id: numbering.user(n), username: survey.roster.usernameOf(n) })),
      options.passwordHash,
      done,
    ),
  )
}

async function importFollows(run: Run): Promise<number> {
  const { files, survey, state, loader, options, numbering } = run
  const { graph, limitUsers } = files
  if (graph === null) return 0
  const edges = readEdges(graph, { roster: survey.roster, limitUsers, broken: createBrokenLines() })
  let repeated = 0
  await load(edges, 'follows', survey.follows, state, options, async (batch, done) => {
    const first = done - batch.length
    const fresh = await loader.loadFollows(
      survey.source,
      batch.map((edge, i) => ({
        id: numbering.follow(first + i),
        follower: numbering.user(edge.follower),
        followee: numbering.user(edge.followee),
      })),
      done,
    )
    repeated += batch.length - fresh
  })
  return repeated
}

async function importPosts(run: Run): Promise<void> {
  const { survey, state, loader, options } = run
  await load(allPosts(run), 'posts', survey.posts, state, options, (batch, done) =>
    loader.loadPosts(survey.source, batch, done),
  )
}

/** The posts with their ids, which depend on what came before: also those that are skipped are numbered. */
async function* allPosts({ files, survey, numbering }: Run): AsyncGenerator<LoadedPost> {
  const { roster, users } = survey
  let n = 0
  for (const path of files.posts) {
    for await (const post of readPosts(path, { roster, broken: createBrokenLines() })) {
      const author = post.author ?? users[authorOf(n, users.length)] ?? 0
      yield { ...placeOf(post, n), authorId: numbering.user(author), text: post.text }
      n++
    }
  }

  function placeOf({ createdAt }: InputPost, at: number): Pick<LoadedPost, 'id' | 'createdAt'> {
    if (createdAt !== null) return { id: numbering.postOf(createdAt), createdAt }
    const id = numbering.post(at)
    return { id, createdAt: idTime(id) }
  }
}

/** Skips the rows that are done, then yields batches until the end or the signal. */
async function load<T>(
  inputs: AsyncIterable<T> | Iterable<T>,
  step: ImportStep,
  total: number,
  state: ImportState,
  { signal, onProgress }: ImportOptions,
  write: (batch: readonly T[], done: number) => Promise<void>,
): Promise<void> {
  const skip = state.done[step]
  let read = 0
  let batch: T[] = []
  onProgress(step, Math.min(skip, total), total)
  for await (const input of inputs) {
    if (++read <= skip) continue
    batch.push(input)
    if (batch.length < BATCH) continue
    await write(batch, read)
    onProgress(step, read, total)
    batch = []
    if (signal.aborted) return
  }
  if (batch.length > 0) {
    await write(batch, read)
    onProgress(step, read, total)
  }
}
