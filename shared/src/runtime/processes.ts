import { whenAborted } from '../async/sleep'
import { environment } from '../config/environment'
import type { Settings } from '../config/program-settings'
import { OperatorError } from '../errors/operator-error'
import { assertFree } from './http-listener'
import type { CommandContext } from './program'

/** How much later than its processes, at most, the program that started them ends. */
const MARGIN_MS = 2_000

/** Marks a started process. The channel alone does not: process managers open one, too. */
const MARK = 'SNS_ONE_OF_PROCESSES'

/** Whether this process is one of several that `runProcesses` started. */
export function isOneOfProcesses(): boolean {
  return environment[MARK] === '1'
}

/** Stops this process when the one that started it is gone, however it ended. */
export function stopWithStarter(): void {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}

/**
 * Runs this very command in several processes and resolves when all have stopped. They share WEB_PORT:
 * the kernel spreads connections over them. The first has METRICS_PORT for operators, each other one the
 * next port. When one ends by itself, the others are stopped too and an `OperatorError` says which.
 */
export async function runProcesses(
  settings: Pick<Settings, 'address' | 'statusAddress' | 'drainDelay'>,
  count: number,
  { signal, extendDrain }: Pick<CommandContext, 'signal' | 'extendDrain'>,
): Promise<void> {
  const { address, statusAddress } = settings
  if (address.port === 0) {
    throw new OperatorError('WEB_PORT is 0: several API_PROCESSES need one port to share', 2)
  }
  extendDrain(settings.drainDelay * 1_000 + MARGIN_MS)
  // Processes that share a port would also share it with a stranger's.
  assertFree(address)

  const processes = Array.from({ length: count }, (_, index) => {
    const port = statusAddress.port === 0 ? 0 : statusAddress.port + index
    return Bun.spawn(thisProgram(), {
      env: { ...environment, METRICS_PORT: String(port), [MARK]: '1' },
      stdio: ['ignore', 'inherit', 'inherit'],
      // A channel whose end tells a process that this one is gone.
      ipc() {},
    })
  })
  const endings = processes.map(async (started, index) => ({ code: await started.exited, index }))
  const first = await Promise.race([whenAborted(signal), ...endings])
  for (const started of processes) started.kill(signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  const codes = (await Promise.all(endings)).map(({ code }) => code)
  if (first && !signal.aborted) {
    throw new OperatorError(
      `process ${first.index + 1} of ${count} ended with code ${first.code}: stopped the others`,
    )
  }
  const failed = codes.findIndex((code) => code !== 0)
  if (failed >= 0) {
    throw new OperatorError(`process ${failed + 1} of ${count} stopped with code ${codes[failed]}`)
  }
}

/** The command line of this process: a script that Bun runs, or the executable. */
export function thisProgram(): [string, ...string[]] {
  const args = process.argv.slice(2)
  return Bun.main.startsWith('/$bunfs/')
    ? [process.execPath, ...args]
    : [process.execPath, ...process.execArgv, Bun.main, ...args]
}
