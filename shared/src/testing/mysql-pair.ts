import { environment } from '../config/environment'

/** Servers of MySQL behind one address, made to take over from one another. */
export interface MysqlPair extends AsyncDisposable {
  /** The address, which leads to the primary: `mysql://user:password@host:port`. */
  readonly url: string
  /** A command of the rig, such as `switchover`; throws what it printed where it fails. */
  run(...command: readonly string[]): Promise<string>
}

/** The path of the rig's command; null where there is none. */
export const mysqlPairCommand = environment.TEST_MYSQL_PAIR || null

const PORT_ATTEMPTS = 20

/** Brings up a rig of its own, empty: `pair`, `group`. Whatever is up under this `STACK_OFFSET` makes room. */
export async function openMysqlPair(...mode: readonly string[]): Promise<MysqlPair> {
  await run('down')
  await up(mode)
  const url = /TEST_PAIR_URL='(.*)'/.exec(await run('env'))?.[1]
  if (!url) throw new Error('the rig does not say where it is')
  return {
    url,
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
