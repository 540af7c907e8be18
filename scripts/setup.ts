/**
 * Installs what the checkout lacks, so that every script works in a fresh clone. Runs before any
 * dependency can be imported: node builtins only. Does nothing, fast, when the lockfile is installed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const OLDEST_BUN = '1.4.5'

if (!Bun.semver.satisfies(Bun.version, `>=${OLDEST_BUN}`)) {
  process.stderr.write(
    `sns: Bun ${OLDEST_BUN} or newer is needed and this is ${Bun.version}: upgrade it, or put \`npx --yes bun@${OLDEST_BUN}\` in place of \`bun\`\n`,
  )
  process.exit(1)
}

const root = join(import.meta.dir, '..')
const stampFile = join(root, 'node_modules', '.sns-lock')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'bun.lock')))
  .digest('hex')

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  process.stderr.write('sns: installing dependencies\n')
  const install = spawnSync(process.execPath, ['install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, BUN_BE_BUN: '1' },
  })
  if (install.status !== 0) {
    process.stderr.write(install.stderr.toString())
    process.stderr.write('sns: could not install dependencies; see above\n')
    process.exit(1)
  }
  try {
    writeFileSync(stampFile, wanted)
  } catch (error) {
    // Installed all the same, by someone who may write here.
    process.stderr.write(`sns: each start will check the dependencies again: ${error}\n`)
  }
}
