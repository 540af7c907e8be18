import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { migrateSuite } from '@sns/shared/runtime/migrate-suite'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { createProgress } from './progress'

/** Creates or upgrades tables, topics and indexes by the settings. */
export const migrate: Command = async ({ args, signal }) => {
  if (args.length > 0) throw new OperatorError(`migrate takes no arguments, not ${args[0]}`, 2)
  const settings = loadSettings(environment, { role: 'migrate' })
  // Topics that are just being made make kafkajs warn; the bar says how it goes.
  const logger = createLogger('migrate', settings.logLevel === 'info' ? 'error' : settings.logLevel)
  const progress = createProgress('steps')
  try {
    await migrateSuite(
      settings,
      { logger, metrics: createMetrics(), clock: systemClock },
      {
        onProgress(step, done, total) {
          progress.update(step, done, total)
          if (signal.aborted) throw new OperatorError('stopped; run migrate again to go on', 130)
        },
      },
    )
  } finally {
    progress.stop()
  }
  console.log('everything is up to date')
}

if (import.meta.main) await runProgram('migrate', migrate, { args: process.argv.slice(2) })
