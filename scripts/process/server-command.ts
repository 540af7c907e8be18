import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { Role } from '@sns/shared/config/settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import type { Backend } from '@sns/shared/runtime/backend-ports'
import { type CommandLine, misused } from './command-line'

interface ServerCommand {
  readonly name: string
  /** Whose settings it reads. */
  readonly role: Role
  /** What to say where there are no servers. */
  readonly embedded: string
}

/**
 * Runs a command on the stores of the servers, beside the suite. Throws an `OperatorError`: 2 where the suite
 * is embedded, 1 where a store is away.
 */
export async function onServers(
  { name, role, embedded }: ServerCommand,
  run: (backend: Backend) => Promise<void>,
): Promise<void> {
  const settings = loadSettings(environment, { role })
  if (settings.database.kind === 'sqlite') throw new OperatorError(embedded, 2)
  const logger = createLogger(name, settings.logLevel)
  const deps = { logger, metrics: createMetrics(), clock: systemClock }
  await using backend = await createBackend(settings, deps)
  try {
    await run(backend)
  } catch (error) {
    if (isSnsError(error)) throw new OperatorError(`${name}: ${error.message}`, 1, { cause: error })
    throw error
  }
}

/**
 * How many `--sample` and `--all` ask for; infinite: all, 0: neither is there. Throws an `OperatorError` of
 * exit code 2 where the number is none.
 */
export function readSample(
  {
    sample,
    all = false,
  }: { readonly sample?: string | undefined; readonly all?: boolean | undefined },
  line: CommandLine,
): number {
  if (sample !== undefined && !/^[1-9]\d{0,8}$/.test(sample)) {
    throw misused(line, `--sample is "${sample}", not a number of at least 1`)
  }
  if (sample !== undefined && all) throw misused(line, '--sample and --all exclude each other')
  return all ? Number.POSITIVE_INFINITY : Number(sample ?? 0)
}
