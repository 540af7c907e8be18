import graphSample from '../../sample/graph.edges.gz' with { type: 'file' }
import postsSample from '../../sample/posts.jsonl.gz' with { type: 'file' }
import { createBrokenLines } from '../import/input-files'
import { type Survey, surveyFiles } from '../import/survey'
import type { BenchArguments } from './arguments'
import { importData, untilQuiet } from './baseline'
import type { BenchSuite, RunningBenchSuite } from './bench-suite'
import { logInSome, readEach } from './feed-load'

export interface ImportedSuite extends AsyncDisposable {
  readonly running: RunningBenchSuite
  readonly survey: Survey
  /** Of every imported user. */
  readonly password: string
  readonly readers: readonly { readonly username: string; readonly token: string }[]
}

/**
 * Starts the suite on the data of the options, and signs some readers in, who have read their feeds. It is quiet then: all
 * that was imported is in the timelines and in the index, unless a first impression will do. `more`: settings beside its
 * own.
 */
export async function startImported(
  suite: BenchSuite,
  { graph, posts, isQuick }: BenchArguments,
  readers: number,
  more: Readonly<Record<string, string>> = {},
): Promise<ImportedSuite> {
  const files = {
    graph: graph ?? graphSample,
    posts: graph ? posts : [postsSample],
    limitUsers: Number.POSITIVE_INFINITY,
  }
  const survey = await surveyFiles(files, createBrokenLines())
  await suite.prepare()
  const password = crypto.randomUUID()
  await importData(suite, files, password)
  const running = await suite.start(more)
  try {
    if (!isQuick) await untilQuiet(running, survey)
    const signedIn = await logInSome(running.url, survey, password, readers)
    await readEach(running.url, signedIn)
    return {
      running,
      survey,
      password,
      readers: signedIn,
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    }
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
}
