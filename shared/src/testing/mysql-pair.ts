import { environment } from '../config/environment'

/** Servers of MySQL behind one address, made to take over from one another. */
export interface MysqlPair extends AsyncDisposable {
  /** The address, which leads to the primary: `mysql://user:password@host:port`. */
  readonly url: string
  /** Each server by itself: of a pair the first primary, then its replica. */
  readonly servers: readonly string[]
  /** A command of the rig, such as `switchover`; throws what it printed where it fails. */
  run(...command: readonly string[]): Promise<string>
}

/** The path of the rig's command; null where there is none. */
export const mysqlPairCommand = environment.TEST_MYSQL_PAIR || null

const PORT_ATTEMPTS = 20
const SERVERS = { pair: ['A', 'B'], group: ['A', 'B', 'C'] } as const

/** Brings up a rig of its own, empty. Whatever is up under this `STACK_OFFSET` makes room. */
export async function openMysqlPair(
  mode: keyof typeof SERVERS,
  ...options: readonly string[]
): Promise<MysqlPair> {
  await run('down')
  await up([mode, ...options])
  const said = await run('env')
  function urlOf(name: string): string {
    const url = new RegExp(`${name}='(.*)'`).exec(said)?.[1]
    if (!url) throw new Error(`the rig does not say where ${name} is`)
    return url
  }
  return {
    url: urlOf('TEST_PAIR_URL'),
    servers: SERVERS[mode].map((name) => urlOf(`TEST_PAIR_${name}_URL`)),
    run,
    async [Symbol.asyncDispose]() {
      await run('down')
    },
  }
}

/** A server that was killed may hold its port for a moment longer. */
async function up(mode: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run('up', ...mode)
      return
    } catch (error) {
      if (attempt === PORT_ATTEMPTS || !String(error).includes(' is taken')) throw error
      await Bun.sleep(1_000)
    }
  }
}

async function run(...command: readonly string[]): Promise<string> {
  if (!mysqlPairCommand) throw new Error('TEST_MYSQL_PAIR is not set')
  const rig = Bun.spawn([mysqlPairCommand, ...command], { stdout: 'pipe', stderr: 'pipe' })
  const [said, problem] = await Promise.all([
    new Response(rig.stdout).text(),
    new Response(rig.stderr).text(),
  ])
  if ((await rig.exited) !== 0) throw new Error(`mysql-pair ${command.join(' ')}: ${problem}`)
  return said.trim()
}
