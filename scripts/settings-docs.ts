import { join } from 'node:path'
import { listSettings, type Setting } from '@sns/shared/config/settings'

/** What compose.yaml reads beside the settings of the programs; `init` makes the passwords. */
export const COMPOSE_SETTINGS = [
  ['MYSQL_ROOT_PASSWORD', '', "Password of MySQL's root"],
  ['MYSQL_PASSWORD', '', 'Password of the MySQL user that the services are'],
  ['REDIS_PASSWORD', '', 'Password of Redis'],
  ['GRAFANA_PASSWORD', '', "Password of Grafana's admin"],
  ['MYSQL_PORT', '3306', 'Port of MySQL on this machine'],
  ['GRAFANA_PORT', '3000', 'Port of Grafana on this machine'],
  ['PROMETHEUS_PORT', '9090', 'Port of Prometheus on this machine'],
  ['KAFKA_PORT', '9094', 'Port of Kafka on this machine'],
  [
    'SUBNET',
    '172.30.86.0/24',
    'Network of the containers; where it changes, TRUSTED_PROXIES changes with it',
  ],
  ['ES_HEAP', '1g', 'Memory of Elasticsearch'],
  ['REDIS_MAXMEMORY', '1gb', 'Memory of Redis'],
] as const

/**
 * The text of `.env.example`: every setting with what it means, who reads it and its default, all
 * commented out, so that a copy changes nothing until a line is uncommented.
 */
export function renderEnvExample(): string {
  return [
    '# Settings of sns. Copy to .env and uncomment what you change; an empty value counts as unset.',
    '# A secret NAME may stand in a file instead, which NAME_FILE names.\n',
    ...listSettings().map((setting) => {
      const preset = typeof setting.default === 'string' ? setting.default : ''
      return `# ${setting.summary}. Read by ${envReaders(setting)}.\n# ${setting.name}=${preset}\n`
    }),
    ...COMPOSE_SETTINGS.map(
      ([name, preset, summary]) => `# ${summary}. Read by compose.\n# ${name}=${preset}\n`,
    ),
  ].join('\n')
}

function envReaders({ readBy, default: preset }: Setting): string {
  if (readBy === 'all') return 'every program'
  if (preset === null || typeof preset === 'string') return readBy.join(', ')
  return readBy.map((reader) => `${reader} (default ${preset[reader] ?? preset.others})`).join(', ')
}

/** Matches the table of settings in docs/03-operations.md. */
export const SETTINGS_TABLE = /^\| setting \|.*\n(\|.*\n)*/m

/** The table of settings for docs/03-operations.md. */
export function renderSettingsTable(): string {
  return [
    '| setting | default | read by | meaning |',
    '|---|---|---|---|',
    ...listSettings().map(({ name, summary, readBy, default: preset }) => {
      const readers = readBy === 'all' ? 'all' : readBy.join(', ')
      return `| \`${name}\` | ${tableDefault(preset)} | ${readers} | ${summary} |`
    }),
    '',
  ].join('\n')
}

function tableDefault(preset: Setting['default']): string {
  if (typeof preset === 'string' && preset !== '') return `\`${preset}\``
  if (preset === null || typeof preset === 'string') return '–'
  return Object.entries(preset)
    .map(([reader, value]) => `${reader} \`${value}\``)
    .join(', ')
}

if (import.meta.main) {
  const root = join(import.meta.dir, '..')
  await Bun.write(join(root, '.env.example'), renderEnvExample())
  const page = Bun.file(join(root, 'docs/03-operations.md'))
  await page.write((await page.text()).replace(SETTINGS_TABLE, () => renderSettingsTable()))
}
