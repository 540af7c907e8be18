import { existsSync, realpathSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@sns/shared/config/environment'
import { MUTATIONS } from './mutations/all'
import type { Mutation } from './mutations/mutation'

const root = join(import.meta.dir, '..')
/** Beside the folders, what tests read. */
const FILES = [
  'package.json',
  'tsconfig.json',
  'bunfig.toml',
  'compose.yaml',
  'Dockerfile',
  '.gitignore',
] as const

/**
 * Breaks the code in one way at a time, in a copy, and says which tests notice; exit 1 where none does.
 * `bun scripts/mutations.ts [WORDS …]` tries those whose name holds the words.
 */
async function main(words: readonly string[]): Promise<number> {
  const chosen = MUTATIONS.filter(({ name }) => words.every((word) => name.includes(word)))
  const folder = await mkdtemp(join(tmpdir(), 'sns-mutations-'))
  const copy = join(folder, 'copy')
  let missed = 0
  let left = 0
  try {
    await mkdir(copy)
    // Tests that kill servers look for them beside the checkout.
    const shared = join(root, '../shared')
    if (existsSync(shared)) await symlink(realpathSync(shared), join(folder, 'shared'))
    for (const part of [
      'client',
      'services',
      'shared',
      'scripts',
      'tests',
      'sample',
      'docs',
      'ops',
    ]) {
      // The packages of the copy use each other, not those that are whole.
      await cp(join(root, part), join(copy, part), { recursive: true, verbatimSymlinks: true })
    }
    for (const file of FILES) {
      await cp(join(root, file), join(copy, file))
    }
    await mkdir(join(copy, 'node_modules'))
    for (const name of await readdir(join(root, 'node_modules'))) {
      const [from, to] = [join(root, 'node_modules', name), join(copy, 'node_modules', name)]
      if (name === '@sns') await cp(from, to, { recursive: true, verbatimSymlinks: true })
      else await symlink(from, to)
    }
    console.log('| what is broken | noticed by |\n|---|---|')
    for (const mutation of chosen) {
      if (mutation.needs && !environment[mutation.needs]) {
        left += 1
        console.log(`| ${mutation.name} | not tried: it needs ${mutation.needs} |`)
        continue
      }
      const noticedBy = await attempt(copy, mutation)
      if (noticedBy === null) missed += 1
      console.log(`| ${mutation.name} | ${noticedBy ?? '**nothing**'} |`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const noticed = chosen.length - missed - left
  console.log(`\n${noticed} noticed, ${missed} not noticed, ${left} not tried`)
  return missed === 0 ? 0 : 1
}

/** The first test that fails; null where all pass. */
async function attempt(copy: string, { file, find, replace, tests }: Mutation) {
  const path = join(copy, file)
  const source = await Bun.file(path).text()
  if (source.split(find).length !== 2) throw new Error(`${file}: stands there not once: ${find}`)
  await Bun.write(
    path,
    source.replace(find, () => replace),
  )
  try {
    for (const test of tests) {
      const child = Bun.spawn(['bun', 'test', '--timeout=300000', '--bail', test], {
        cwd: copy,
        stdout: 'pipe',
        stderr: 'pipe',
      })
      const output = await new Response(child.stderr).text()
      if ((await child.exited) === 0) continue
      return (
        /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/m.exec(output)?.[1] ?? `${test}: ${output.slice(-200)}`
      )
    }
    return null
  } finally {
    await Bun.write(path, source)
  }
}

process.exitCode = await main(Bun.argv.slice(2))
