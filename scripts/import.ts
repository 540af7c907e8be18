import { createPasswords } from '@sns/api/security/passwords'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { isDiskFull } from '@sns/shared/errors/disk-full'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { countsOf } from './import/archive'
import { type ArchiveFiles, type ArchiveSummary, importArchive } from './import/archive-importer'
import { type ImportSummary, importFiles } from './import/importer'
import type { ImportFiles } from './import/survey'
import { misused, readCommandLine, refuseOperands, withHelp } from './process/command-line'
import { createProgress } from './progress'

/** Bulk-loads a follow graph and posts, or an archive, into the database of the settings. */
export const importCommand: Command = async ({ args, signal }) => {
  const input = readImportArguments(args)
  const settings = loadSettings(environment, { role: LINE.role })
  const logger = createLogger('import', settings.logLevel)
  await using backend = await createBackend(settings, {
    logger,
    metrics: createMetrics(),
    clock: systemClock,
  })
  const stores = await backend.forImport()
  const progress = createProgress('rows')
  const options = { signal, onProgress: progress.update }
  const startedAt = performance.now()
  try {
    if ('archive' in input) {
      const summary = await importArchive(input, stores, { ...options, now: Date.now() })
      if (summary.finished) await stores.loader.refreshStatistics()
      progress.stop()
      reportArchive(summary, input.into)
    } else {
      const password = input.password ?? crypto.randomUUID()
      const passwordHash = await createPasswords().hash(password, { key: 'import', signal })
      const summary = await importFiles(input.files, stores.loader, { ...options, passwordHash })
      if (summary.finished) await stores.loader.refreshStatistics()
      progress.stop()
      report(summary, (performance.now() - startedAt) / 1000)
    }
  } catch (error) {
    progress.stop()
    if (isSnsError(error) && !isDiskFull(error)) {
      throw new OperatorError(`import: ${error.message}`, 1, { cause: error })
    }
    throw error
  }
}

function reportArchive(summary: ArchiveSummary, into: string): void {
  if (!summary.finished) {
    throw new OperatorError('import stopped; run the same command again to continue', 130)
  }
  const { posts, known, followed, notHere, left, asText } = summary
  if (Object.keys(left).length > 0) console.log(`left behind: ${countsOf(left)}`)
  if (Object.keys(asText).length > 0) console.log(`kept as text: ${countsOf(asText)}`)
  if (followed + notHere > 0)
    console.log(`follows ${followed} people of the list; ${notHere} are not here`)
  if (known > 0) console.log(`${known} posts were here already`)
  console.log(posts === 0 ? 'no post was loaded' : `loaded ${posts} posts into ${into}`)
}

function report(summary: ImportSummary, seconds: number): void {
  const { broken, repeatedFollows } = summary
  if (broken.count > 0) {
    console.error(`${broken.count} broken lines were left out, such as:`)
    for (const example of broken.examples) console.error(`  ${example}`)
  }
  if (repeatedFollows > 0) console.error(`${repeatedFollows} follows were there already`)
  if (!summary.finished) {
    throw new OperatorError('import stopped; run the same command again to continue', 130)
  }
  const { users, follows, posts, comments } = summary
  if (summary.isRepeat) {
    console.log('nothing was loaded: an earlier run loaded all of it')
    return
  }
  const count = (n: number) => n.toLocaleString('en')
  console.log(
    `loaded ${count(users)} users, ${count(follows)} follows and ${count(posts)} posts${comments > 0 ? ` with ${count(comments)} comments` : ''} in ${seconds.toFixed(1)} s`,
  )
}

export interface ImportArguments {
  readonly files: ImportFiles
  /** The password of all imported users; null: they cannot log in. */
  readonly password: string | null
}

const LINE = COMMAND_LINES.import

/** Reads the command line. Throws an `OperatorError` of exit code 2 that says what is wrong. */
export function readImportArguments(args: readonly string[]): ImportArguments | ArchiveFiles {
  const { values, positionals } = readCommandLine(LINE, args)
  refuseOperands(LINE, positionals)
  const { graph, posts, archive, into, following, ...rest } = values
  if (archive) {
    if (!into) throw misused(LINE, '--into is missing: name the account')
    if (graph || posts) throw misused(LINE, '--archive goes alone: no --graph, no --posts')
    return { archive, into, following: following ?? null }
  }
  if (into || following) throw misused(LINE, '--archive is missing')
  if (!graph && !posts) throw misused(LINE, '--graph or --posts is missing')
  const limit = rest['limit-users']
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    throw misused(LINE, `--limit-users is "${limit}", not a number of users`)
  }
  const { password = null } = rest
  if (password !== null && password.length < 8)
    throw misused(LINE, '--password needs 8 characters or more')
  return {
    files: {
      graph: graph ?? null,
      posts: posts ?? [],
      limitUsers: limit ? Number(limit) : Number.POSITIVE_INFINITY,
    },
    password,
  }
}

if (import.meta.main)
  await runProgram('import', withHelp(LINE, importCommand), { args: process.argv.slice(2) })
