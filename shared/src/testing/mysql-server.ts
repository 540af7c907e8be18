import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../config/environment'
import { eventually } from './eventually'
import { freePort } from './redis-server'
import { temporaryFolder } from './temporary-folder'

const cache = environment.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const root = join(environment.STACK_HOME ?? join(cache, 'sns-stack'), 'packages/mysql/root')

/** Whether this machine has a MySQL to start: tests that need one say so and skip. */
export const hasMysqlServer = existsSync(join(root, 'usr/sbin/mysqld'))

/** A MySQL of a test's own, with a binlog as capture wants it. */
export interface MysqlServerProcess extends AsyncDisposable {
  readonly port: number
}

/** `init` is run at the start, one statement a line, as root, before anybody may connect. */
export async function startMysqlServer(
  init: readonly string[],
  options: readonly string[] = [],
): Promise<MysqlServerProcess> {
  const opened = new AsyncDisposableStack()
  await using onFailure = new AsyncDisposableStack()
  onFailure.use(opened)
  const { path } = opened.use(await temporaryFolder())
  const data = join(path, 'data')
  const log = join(path, 'log.err')
  const logged = () =>
    Bun.file(log)
      .text()
      .catch(() => '')
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/mysql/private']
  const mysqld = [
    join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    ...['--library-path', libraries.map((each) => join(root, each)).join(':')],
    join(root, 'usr/sbin/mysqld'),
    ...[
      '--no-defaults',
      `--basedir=${join(root, 'usr')}`,
      `--datadir=${data}`,
      `--log-error=${log}`,
    ],
    ...['--user=root', '--secure-file-priv=NULL'],
  ]
  const empty = join(root, '../empty')
  if (existsSync(empty)) await cp(empty, data, { recursive: true })
  else await Bun.spawn([...mysqld, '--initialize-insecure']).exited
  await Bun.write(join(path, 'init.sql'), init.map((statement) => `${statement};\n`).join(''))
  const port = freePort()
  const child = Bun.spawn(
    [
      ...mysqld,
      ...[`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(path, 'sock')}`],
      ...[`--pid-file=${join(path, 'pid')}`, `--init-file=${join(path, 'init.sql')}`],
      ...['--mysqlx=OFF', '--server-id=1', '--log-bin=binlog', '--gtid-mode=ON'],
      ...['--enforce-gtid-consistency', '--binlog-row-metadata=FULL'],
      ...['--character-set-server=utf8mb4', '--innodb-buffer-pool-size=32M'],
      ...options,
    ],
    { stdout: 'ignore', stderr: 'ignore' },
  )
  opened.defer(async () => {
    child.kill('SIGKILL')
    await child.exited
  })
  await eventually(
    async () => child.exitCode !== null || /ready for connections.*port/.test(await logged()),
    { timeoutMs: 60_000, what: 'mysqld is ready' },
  )
  if (child.exitCode !== null) throw new Error(`mysqld ended: ${await logged()}`)
  onFailure.move()
  return { port, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
