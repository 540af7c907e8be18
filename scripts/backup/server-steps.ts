import type { MysqlSettings } from '@sns/shared/config/program-settings'

/**
 * Makes capture continue from the restored rows, with versions above all earlier ones.
 * The operator fills in `N`.
 */
export const GO_ON_COMMAND = 'snapshot --from-here --epoch N'

/** How an operator backs up the servers: MySQL only, since all other stores are rebuilt from its rows. */
export function serverBackupSteps(mysql: MysqlSettings, file: string): string[] {
  return [
    'Back up MySQL with its own tools; all other stores are rebuilt from it. SECRET_KEY is in your settings:',
    '',
    `  (umask 077; mysqldump ${connection(mysql)} --single-transaction --set-gtid-purged=ON \\`,
    `    --no-tablespaces ${mysql.database} > ${quoted(file)})`,
    '',
    'The command asks for a password and needs the rights SELECT and RELOAD, as root has. It blocks no writes. For a',
    'database of many gigabytes, make a physical copy, which includes the GTIDs:',
    '',
    `  xtrabackup --backup ${connection(mysql)} --target-dir=${quoted(`${file}.d`)}`,
  ]
}

/** How an operator restores such a backup; docs/03-operations.md explains why. */
export function serverRestoreSteps(mysql: MysqlSettings, file: string): string[] {
  return [
    'Restore MySQL with its own tools, on a server that holds no other data you need:',
    '',
    '  1. Stop api, fanout-worker and cdc-indexer, all of them.',
    '  2. Load it (on MySQL before 8.4 the first statement is RESET MASTER):',
    `       mysql ${connection(mysql)} -e 'RESET BINARY LOGS AND GTIDS; DROP DATABASE IF EXISTS ${name(mysql)}; CREATE DATABASE ${name(mysql)}'`,
    `       mysql ${connection(mysql)} ${mysql.database} < ${quoted(file)}`,
    '  3. Let capture start here; N is one above the highest epoch ever used (at most 31; the records on',
    '     Kafka name it in source.epoch):',
    `       ${GO_ON_COMMAND}`,
    '  4. Start the services while that runs: every row is captured again, timelines are rebuilt, and documents',
    '     without a row are removed.',
    '',
    'docs/03-operations.md explains the steps under "MySQL was restored from a backup".',
  ]
}

/** Without the password: other users can see command lines. */
function connection({ host, port, user, tls }: MysqlSettings): string {
  const files = [
    ['ca', tls?.ca],
    ['cert', tls?.client?.cert],
    ['key', tls?.client?.key],
  ] as const
  return [
    `--host=${quoted(host)} --port=${port} --user=${quoted(user)} --password`,
    ...(tls ? [`--ssl-mode=${tls.mode.toUpperCase()}`] : []),
    ...files.flatMap(([name, file]) => (file ? [`--ssl-${name}=${quoted(file.path)}`] : [])),
  ].join(' ')
}

function name({ database }: MysqlSettings): string {
  return `\`${database}\``
}

/** Quotes a text as one word of a shell command. */
function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
