import { createPasswords } from '@sns/api/security/passwords'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { readImportArguments } from './import/arguments'
import { type ImportSummary, importFiles } from './import/importer'
import { createProgress } from './progress'

/** Bulk-loads a follow graph and posts into the database of the settings. */
export const importCommand: Command = async ({ args, signal }) => {
  const { files, password } = readImportArguments(args)
  const settings = loadSettings(environment, { role: 'import' })
  const logger = createLogger('import', settings.logLevel)
  await using backend = await createBackend(settings, {
    logger,
    metrics: createMetrics(),
    clock: systemClock,
  })
  const { loader } = await backend.forImport()
  const progress = createProgress('rows')
  const startedAt = performance.now()
  try {
    const summary = await importFiles(files, loader, {
      passwordHash: await createPasswords().hash(password ?? crypto.randomUUID(), {
        key: 'import',
        signal,
      }),
      signal,
      onProgress: progress.update,
    })
    progress.stop()
    report(summary, (performance.now() - startedAt) / 1000)
  } catch (error) {
    progress.stop()
    if (isSnsError(error)) throw new OperatorError(`import: ${error.message}`, 1, { cause: error })
    throw error
  }
}

function report(summary: ImportSummary, seconds: number): void {
  const { broken, repeatedFollows } = summary
  if (broken.count > 0) {
    console.error(`${broken.count} broken lines were left out, such as:`)
    for (const example of broken.examples) console.error(`  ${example}`)
  }
  if (repeatedFollows > 0) console.error(`${repeatedFollows} follows were there already`)
  if (!summary.finished) {
    throw new OperatorError('import stopped; run the same command again to go on', 130)
  }
  const { users, follows, posts } = summary
  const count = (n: number) => n.toLocaleString('en')
  console.log(
    `loaded ${count(users)} users, ${count(follows)} follows and ${count(posts)} posts in ${seconds.toFixed(1)} s`,
  )
}

if (import.meta.main) await runProgram('import', importCommand, { args: process.argv.slice(2) })
