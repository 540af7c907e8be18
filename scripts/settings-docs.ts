import { join } from 'node:path'
import { listSettings, type Setting } from '@sns/shared/config/settings'

/** What compose.yaml reads beside the settings of the programs. */
export const COMPOSE_SETTINGS = [
  ['GRAFANA_PORT', '3000', 'Port of Grafana on this machine'],
  ['PROMETHEUS_PORT', '9090', 'Port of Prometheus on this machine'],
  [
    'SUBNET',
    '172.30.86.0/24',
    'Network of the proxy and the api; where it changes, TRUSTED_PROXIES changes with it',
  ],
  ['API_MEMORY', '1g', 'Most memory of an api container, with all its API_PROCESSES'],
  ['FANOUT_MEMORY', '512m', 'Most memory of a fanout-worker container'],
  ['INDEXER_MEMORY', '512m', 'Most memory of a cdc-indexer container'],
  ['MIGRATE_MEMORY', '1g', "Most memory of migrate and of operators' commands"],
  [
    'MYSQL_MEMORY',
    '2g',
    'Most memory of MySQL; the buffer pool in ops/mysql/sns.cnf is part of it',
  ],
  ['REDIS_MEMORY', '1536m', 'Most memory of Redis, two thirds of it for data'],
  ['KAFKA_MEMORY', '2g', 'Most memory of Kafka, 1 GiB of it heap'],
  ['ES_MEMORY', '2g', 'Most memory of Elasticsearch, half of it heap'],
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
