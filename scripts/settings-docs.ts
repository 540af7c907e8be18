import { join } from 'node:path'
import { renderEnvExample, renderSettingsTable } from '@sns/shared/config/settings-docs'

const root = join(import.meta.dir, '..')
await Bun.write(join(root, '.env.example'), renderEnvExample())

const page = Bun.file(join(root, 'docs/03-operations.md'))
await page.write(
  (await page.text()).replace(/^\| setting \|.*\n(\|.*\n)*/m, () => renderSettingsTable()),
)
