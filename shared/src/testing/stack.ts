import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../config/environment'
import { testServers } from './servers'

export const STACK_SERVERS = ['mysql', 'redis', 'kafka', 'elasticsearch'] as const
export type StackServer = (typeof STACK_SERVERS)[number]

/** Crashes and starts the servers that `TEST_…` name. */
export interface Stack {
  kill(server: StackServer): Promise<void>
  /** Starts a killed server on the same data and waits until it is healthy. */
  start(server: StackServer): Promise<void>
  pause(server: StackServer): Promise<void>
  resume(server: StackServer): Promise<void>
}

/**
 * The script that runs the servers natively, where one stands beside the checkout and the servers that
 * tests use are its own; null elsewhere, since other servers must not be killed.
 */
export const stack: Stack | null = findStack()

/** Where the stack's broker keeps its logs. */
export const kafkaFolder = join(
  environment.STACK_HOME ??
    join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sns-stack'),
  `run-${environment.STACK_OFFSET ?? 0}`,
  'kafka/data',
)

function findStack(): Stack | null {
  const script = join(import.meta.dir, '../../../../shared/stack/stack')
  if (!existsSync(script)) return null
  const env = Bun.spawnSync([script, 'env']).stdout.toString()
  const isOurs =
    testServers.mysql !== null &&
    env.includes(`'${testServers.mysql}'`) &&
    env.includes(`'${testServers.redis}'`)
  if (!isOurs) return null

  async function run(command: string, server: StackServer): Promise<void> {
    const child = Bun.spawn([script, command, server], { stdout: 'ignore', stderr: 'pipe' })
    const problem = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(`stack ${command} ${server}: ${problem}`)
  }
  /** A start may look for the process before it has left its number, and take it for dead: the next finds it. */
  async function startAgain(server: StackServer): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run('start', server)
      } catch (error) {
        if (attempt === 3 || !String(error).includes('died while starting')) throw error
        await Bun.sleep(1_000)
      }
    }
  }

  return {
    kill: (server) => run('kill', server),
    start: startAgain,
    pause: (server) => run('pause', server),
    resume: (server) => run('resume', server),
  }
}
