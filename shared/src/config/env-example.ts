import { SETTINGS, type Setting } from './catalogue'

/**
 * The text of `.env.example`: every setting with what it means, who reads it and its default, all
 * commented out, so that a copy changes nothing until a line is uncommented.
 */
export function renderEnvExample(): string {
  const entries = Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
    const readers = setting.readBy === 'all' ? 'every program' : setting.readBy.join(', ')
    return `# ${setting.summary}. Read by ${readers}.\n# ${name}=${setting.default ?? ''}\n`
  })
  return [
    '# Settings of sns. Copy to .env and uncomment what you change; an empty value counts as unset.\n',
    ...entries,
  ].join('\n')
}
