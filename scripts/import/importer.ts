import { OperatorError } from '@sns/shared/errors/operator-error'
import type { BulkLoader, ImportState, ImportStep } from '@sns/shared/ports/bulk-loader'
import { createBrokenLines, readEdges, readPosts } from './input-files'
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
  readonly users: number
  readonly follows: number
  /** Of the follows read in this run, those that existed already. */
  readonly repeatedFollows: number
  readonly posts: number
  readonly broken: { readonly count: number; readonly examples: readonly string[] }
}

/**
 * Loads a follow graph and posts: users `u0…`, follows, then posts spread over the users and over the
 * last 30 days. After an interruption, a call with the same files resumes the import.
 */
export async function importFiles(
  files: ImportFiles,
  loader: BulkLoader,
  options: ImportOptions,
): Promise<ImportSummary> {
  const broken = createBrokenLines()
  const survey = await surveyFiles(files, broken)
  if (survey.users.length === 0) {
    const example = broken.examples[0] ?? 'it has no line at all'
    throw new OperatorError(`${files.graph} holds no user who could write the posts; ${example}`)
  }
  const state = await loader.open(survey.source)
  const run = {
    files,
    survey,
    state,
    loader,
    options,
    numbering: createNumbering(state.startedAt, survey.posts),
  }
  const stopped = () => options.signal.aborted

  if (!stopped()) await importUsers(run)
  const repeatedFollows = stopped() ? 0 : await importFollows(run)
  if (!stopped()) await importPosts(run)
  return {
    finished: !stopped(),
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
      batch.map((n) => ({ id: numbering.user(n), username: `u${n}` })),
      options.passwordHash,
      done,
    ),
  )
}

async function importFollows(run: Run): Promise<number> {
  const { files, survey, state, loader, options, numbering } = run
  const edges = readEdges(files.graph, files.limitUsers, createBrokenLines())
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
  const { files, survey, state, loader, options, numbering } = run
  await load(allPosts(files), 'posts', survey.posts, state, options, (batch, done) => {
    const first = done - batch.length
    return loader.loadPosts(
      survey.source,
      batch.map((text, i) => {
        const author = survey.users[authorOf(first + i, survey.users.length)] ?? 0
        return { id: numbering.post(first + i), authorId: numbering.user(author), text }
      }),
      done,
    )
  })
}

async function* allPosts(files: ImportFiles): AsyncGenerator<string> {
  for (const path of files.posts) yield* readPosts(path, createBrokenLines())
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
