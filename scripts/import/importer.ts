import { type CommentId, idTime, type PostId } from '@sns/shared/domain/id'
import type {
  BulkLoader,
  ImportState,
  ImportStep,
  LoadedComment,
  LoadedPost,
} from '@sns/shared/ports/bulk-loader'
import { createBrokenLines, readEdges, readPosts } from './input-files'
import { authorOf, createNumbering } from './numbering'
import { type ImportFiles, type Survey, surveyFiles } from './survey'
import { createThreads } from './threads'

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
  readonly comments: number
  readonly broken: { readonly count: number; readonly examples: readonly string[] }
}

/**
 * Loads a follow graph and posts: users, follows, posts, then comments: posts that answer others. Posts that do not say whose or when they are, are spread
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
    numbering: numberingOf({ state, survey }),
  }
  const stopped = () => options.signal.aborted
  const isRepeat =
    state.done.users === survey.users.length &&
    state.done.follows === survey.follows &&
    state.done.posts === survey.posts &&
    state.done.comments === survey.comments

  if (!stopped()) await importUsers(run)
  const repeatedFollows = stopped() ? 0 : await importFollows(run)
  if (!stopped()) await importPosts(run)
  if (!stopped()) await importComments(run)
  return {
    finished: !stopped(),
    isRepeat,
    users: survey.users.length,
    follows: survey.follows,
    repeatedFollows,
    posts: survey.posts,
    comments: survey.comments,
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

async function importComments(run: Run): Promise<void> {
  const { survey, state, loader, options } = run
  await load(allComments(run), 'comments', survey.comments, state, options, async (batch, done) => {
    await loader.loadComments(survey.source, batch, done)
  })
}

async function* allPosts(run: Run): AsyncGenerator<LoadedPost> {
  for await (const { post, root } of placed(run)) if (root === null) yield post
}

async function* allComments(run: Run): AsyncGenerator<LoadedComment> {
  const numbering = numberingOf(run)
  for await (const { post: reply, root, isTimed } of placed(run)) {
    if (root === null) continue
    // One without a time comes right after what it answers.
    const createdAt = isTimed ? reply.createdAt : root.createdAt + 1
    yield {
      ...reply,
      id: numbering.postOf(createdAt) as number as CommentId,
      createdAt,
      post: root.id,
      postAuthor: root.authorId,
    }
  }
}

interface Placed {
  readonly post: LoadedPost
  /** What it answers; null of a post of its own. */
  readonly root: LoadedPost | null
  readonly isTimed: boolean
}

/** The lines of the files with their ids, which depend on what came before: so each walk begins at the beginning. */
async function* placed(run: Run): AsyncGenerator<Placed> {
  const { files, survey } = run
  const { roster, users } = survey
  const numbering = numberingOf(run)
  const threads = createThreads()
  const answered = new Map<number, LoadedPost>()
  let n = 0
  for (const path of files.posts) {
    for await (const line of readPosts(path, { roster, threads, broken: createBrokenLines() })) {
      const { text, createdAt, root } = line
      const author = line.author ?? users[authorOf(n, users.length)] ?? 0
      const said = { authorId: numbering.user(author), text, createdAt: createdAt ?? 0 }
      if (root !== null) {
        const post = { ...said, id: 0 as PostId }
        yield { post, root: answered.get(root) ?? null, isTimed: createdAt !== null }
        continue
      }
      const id = createdAt === null ? numbering.post(n) : numbering.postOf(createdAt)
      const post = { ...said, id, createdAt: createdAt ?? idTime(id) }
      if (line.id !== null) answered.set(n, post)
      n++
      yield { post, root: null, isTimed: true }
    }
  }
}

function numberingOf({ state, survey }: Pick<Run, 'state' | 'survey'>) {
  return createNumbering(state.startedAt, survey.posts, survey.source)
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
