import { existsSync } from 'node:fs'
import { secretFile } from '@sns/api/security/embedded-secret'
import { lockForProcess } from '@sns/shared/adapters/sqlite/process-lock'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { createProgress } from './progress'

const LINE = COMMAND_LINES['move-to-servers']

/**
 * Copies an embedded database into the MySQL of the settings, ids and all, and compares the two. Run again, it goes on
 * where it was. The embedded suite and the services must be stopped.
 */
export const moveToServers: Command = async ({ args, signal, cutOffBySignals }) => {
  const { positionals } = readCommandLine(LINE, args)
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw misused(LINE, 'name one file')
  if (!existsSync(path)) throw new OperatorError(`${path} is not there`)
  const { database } = loadSettings(environment, { role: LINE.role })
  if (database.kind !== 'mysql') {
    throw new OperatorError('DATABASE_URL must name the MySQL to move into: mysql://…', 2)
  }
  const { openSqliteDatabase } = await import('@sns/shared/adapters/sqlite/database')
  const { connectMysql } = await import('@sns/shared/adapters/mysql/database')
  const { assertMigrated } = await import('@sns/shared/adapters/sql/migrate')
  const { copyTables, sumTables } = await import('@sns/shared/adapters/sql/table-copy')
  using _lock = lockForProcess(path)
  await using from = await openSqliteDatabase({ path })
  await using to = await connectMysql(database)
  await assertMigrated(to.db)

  const progress = createProgress('rows')
  const finished = await copyTables(from.db, to.db, {
    signal,
    onProgress: progress.update,
  }).finally(progress.stop)
  if (!finished) throw new OperatorError('stopped; run move-to-servers again to continue', 130)

  const [there, here] = await cutOffBySignals(async () => [
    await sumTables(to.db),
    await sumTables(from.db),
  ])
  const different = here.filter((sum, at) => !Bun.deepEquals(sum, there[at]))
  for (const { table, rows } of here) {
    const isDifferent = different.some((each) => each.table === table)
    console.log(
      `${table.padEnd(20)} ${rows.toLocaleString('en').padStart(12)} rows${isDifferent ? ', DIFFERENT' : ''}`,
    )
  }
  if (different.length > 0) {
    throw new OperatorError(
      `${different.map(({ table }) => table).join(', ')} differ: something wrote meanwhile; empty the database, run migrate and move again`,
    )
  }
  console.log(
    `every table is equal by counts and sums; ${path} is as it was. With SECRET_KEY as in ${secretFile(path)} everybody stays signed in.\nStart the services, then run snapshot: it brings the rows to Kafka and so to the search index.`,
  )
}

if (import.meta.main)
  await runProgram('move-to-servers', withHelp(LINE, moveToServers), {
    args: process.argv.slice(2),
  })
