import type { MysqlServer } from '../mysql/session'

/** MySQL servers that take over from one another, behind one address: what `TEST_MYSQL_PAIR` names brings them up. */
export interface MysqlPair extends AsyncDisposable {
  /** The address, and as whom. */
  readonly server: Omit<MysqlServer, 'database'>
  /** `switchover`, `failover`, `lag`, `rejoin`, … with what they take. */
  run(...command: readonly string[]): Promise<string>
}

/** The command, by its path; null where there is none. */
export const MYSQL_PAIR = process.env.TEST_MYSQL_PAIR || null

/** Whatever is up under this `STACK_OFFSET` makes room. */
export async function openMysqlPair(...mode: readonly string[]): Promise<MysqlPair> {
  await run('down')
  await run('up', ...mode)
  const url = new URL(/TEST_PAIR_URL='(.*)'/.exec(await run('env'))?.[1] ?? '')
  return {
    server: {
      host: url.hostname,
      port: Number(url.port),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      tls: null,
    },
    run,
    async [Symbol.asyncDispose]() {
      await run('down')
    },
  }
}

async function run(...command: readonly string[]): Promise<string> {
  if (!MYSQL_PAIR) throw new Error('TEST_MYSQL_PAIR is not set')
  const process = Bun.spawn([MYSQL_PAIR, ...command], { stdout: 'pipe', stderr: 'pipe' })
  const [out, problem] = await Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
  ])
  if ((await process.exited) !== 0) throw new Error(`mysql-pair ${command.join(' ')}: ${problem}`)
  return out
}
