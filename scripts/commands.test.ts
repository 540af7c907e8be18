import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scripts, version } from '../package.json'
import { COMMAND_LINES } from './commands'

const root = join(import.meta.dir, '..')

async function run(script: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, join(root, 'scripts', `${script}.ts`), ...args], {
    cwd: '/tmp',
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, out, err }
}

describe.each(Object.entries(COMMAND_LINES))('%s', (name, line) => {
  test('answers --help and --version, whatever else is asked, and does nothing', async () => {
    const help = await run(name, 'whatever', '--help')
    expect(help.code).toBe(0)
    expect(help.out).toStartWith(`${line.summary}.\n`)
    for (const way of line.usage) expect(help.out).toContain(way)
    for (const option of Object.keys(line.options)) expect(help.out).toContain(`--${option}`)
    expect(await run(name, '--version')).toEqual({ code: 0, out: `sns ${version}\n`, err: '' })
  })

  test('is a command of the package and in the README', () => {
    expect(Object.keys(scripts)).toContain(name)
    const [usage = ''] = line.usage
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`${usage.split(' ')[0]}`)
  })
})

// The flags of `test` are those of `bun test`; `check` is told what it does not know by nobody else.
const READERS = Object.keys(COMMAND_LINES).filter((name) => !['test', 'check'].includes(name))

test.each(READERS)('%s names a flag that it does not know, and does nothing', async (name) => {
  const { code, out, err } = await run(name, '--frobnicate')
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toStartWith("sns: Unknown option '--frobnicate'; usage: ")
})

describe('sns', () => {
  test('lists its commands, and says which word is none', async () => {
    for (const args of [[], ['help'], ['--help'], ['-h']]) {
      const { code, out } = await run('sns', ...args)
      expect(code).toBe(0)
      for (const name of ['demo', 'start', 'snapshot']) expect(out).toContain(`\n  ${name} `)
    }
    const { code, err } = await run('sns', 'dance')
    expect(code).toBe(2)
    expect(err).toContain('there is no command "dance"')
    expect((await run('sns', 'search', '--help')).out).toContain('search verify')
    expect((await run('sns', '--version')).out).toBe(`sns ${version}\n`)
  })
})
