import type { MysqlSettings } from '@sns/shared/config/settings'

/**
 * Makes capture go on from the restored rows, under versions that are above all that were ever given out.
 * `N` is for a person to fill in.
 */
export const CHECKPOINT_STATEMENT =
  'UPDATE capture_checkpoint SET gtid_set = @@GLOBAL.gtid_executed, server_id = @@GLOBAL.server_uuid, epoch = N'

/** What an operator runs to back up the servers: MySQL alone, as all else is made from its rows. */
export function serverBackupSteps(mysql: MysqlSettings, file: string): string[] {
  return [
    'MySQL has the only truth, so MySQL is what to back up, by its own tools; SECRET_KEY is in your settings:',
    '',
    `  (umask 077; mysqldump ${connection(mysql)} --single-transaction --set-gtid-purged=ON \\`,
    `    --no-tablespaces ${mysql.database} > ${quoted(file)})`,
    '',
    'It asks for a password and needs the rights SELECT and RELOAD, as root has them. It stops nobody. For a',
    'database of many gigabytes, take a physical copy, which brings its GTIDs along:',
    '',
    `  xtrabackup --backup ${connection(mysql)} --target-dir=${quoted(`${file}.d`)}`,
  ]
}

/** What an operator runs to restore such a backup; the page on operations tells why. */
export function serverRestoreSteps(mysql: MysqlSettings, file: string): string[] {
  return [
    'A backup of MySQL is restored by its own tools, into a server that holds nothing else of value:',
    '',
    '  1. Stop api, fanout-worker and cdc-indexer, all of them.',
    '  2. Load it (on MySQL before 8.4 the first statement is RESET MASTER):',
    `       mysql ${connection(mysql)} -e 'RESET BINARY LOGS AND GTIDS; DROP DATABASE IF EXISTS ${name(mysql)}; CREATE DATABASE ${name(mysql)}'`,
    `       mysql ${connection(mysql)} ${mysql.database} < ${quoted(file)}`,
    '  3. Let capture start here, N being one above the highest epoch ever used (at most 31; the records on',
    '     Kafka name it in source.epoch):',
    `       mysql ${connection(mysql)} ${mysql.database} -e '${CHECKPOINT_STATEMENT}'`,
    '  4. Empty Redis. Delete the search indexes and run migrate, to be rid of documents without a row.',
    '  5. Start the services, then have every row captured again, by ranges of ids:',
    '       UPDATE posts SET updated_at = updated_at + 1 WHERE id >= … AND id < …, and the same for users',
    '',
    'docs/03-operations.md tells more, under "MySQL was restored from a backup".',
  ]
}

/** Without the password: a command line is there for all to see. */
function connection({ host, port, user }: MysqlSettings): string {
  return `--host=${quoted(host)} --port=${port} --user=${quoted(user)} --password`
}

function name({ database }: MysqlSettings): string {
  return `\`${database}\``
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
