import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestApi, type TestApi } from '@sns/api/testing/test-api'

const root = join(import.meta.dir, '../..')
const [node, npm] = [Bun.which('node'), Bun.which('npm')]
if (!node || !npm) console.log('SKIPPED: no Node with npm on the PATH to run the client in')

/** What somebody with the package alone writes. */
const PROGRAM = `
import { createClient, memorySession, type Post, ProblemError } from '@sns/client'

const sns = createClient({ url: process.argv[2] ?? '', session: memorySession() })
await sns.signUp({ username: 'outsider', password: 'correct horse battery' })
const post: Post = await sns.createPost({ text: 'from outside' })
// @ts-expect-error a post has no title
void post.title
// @ts-expect-error a text is needed
void (() => sns.createPost({}))
const texts: string[] = []
for await (const { text } of sns.each('readFeed', { limit: 1 })) texts.push(text)
const error: unknown = await sns.readProfile({ username: 'nobody_here' }).catch((each) => each)
console.log(JSON.stringify([texts, error instanceof ProblemError && error.code]))
`

let folder: string
let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
  folder = mkdtempSync(join(tmpdir(), 'sns-outside-'))
  const build = await run([process.execPath, 'scripts/build.ts', '--client', packageFolder()], root)
  if (build.exitCode !== 0) throw new Error(build.output)
  await Bun.write(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  await Bun.write(join(folder, 'program.ts'), PROGRAM)
  await Bun.write(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        target: 'ES2022',
        module: 'NodeNext',
        lib: ['ES2022', 'DOM'],
        types: [],
        outDir: 'out',
      },
      files: ['program.ts', 'globals.d.ts'],
    }),
  )
  await Bun.write(join(folder, 'globals.d.ts'), 'declare const process: { argv: string[] }\n')
}, 60_000)
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function packageFolder(): string {
  return join(folder, 'dist/client')
}

async function run(command: readonly string[], cwd: string) {
  const child = Bun.spawn([...command], { cwd, stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { exitCode: await child.exited, output: out + err }
}

test('is types and a few kilobytes of JavaScript, without dependencies', async () => {
  const manifest = await Bun.file(join(packageFolder(), 'package.json')).json()
  expect(Object.keys(manifest)).not.toContain('dependencies')
  expect(Object.keys(manifest)).not.toContain('private')
  const script = await Bun.file(join(packageFolder(), 'index.js')).bytes()
  expect(Bun.gzipSync(script).length).toBeLessThan(6 * 1024)
})

test.skipIf(!npm)(
  'is installed as its README says',
  async () => {
    const readme = await Bun.file(join(root, 'client/README.md')).text()
    const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(readme) ?? []
    const [build, install, ...more] = block
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +#.*/, ''))
    const { packageManager } = await Bun.file(join(root, 'package.json')).json()
    expect(build).toBe(`npx --yes ${packageManager} run build --client dist/client`)
    expect(install).toBe('npm install path/to/dist/client')
    expect(more).toEqual([])
    const installed = await run([npm ?? '', 'install', packageFolder(), '--offline'], folder)
    expect(installed).toEqual({ exitCode: 0, output: expect.stringContaining('added 1 package') })
  },
  300_000,
)

test.skipIf(!node || !npm)(
  'is checked by tsc --strict and runs in Node, from a folder outside',
  async () => {
    const tsc = join(root, 'node_modules/.bin/tsc')
    const compiled = await run([process.execPath, '--bun', tsc, '--project', folder], folder)
    expect(compiled).toEqual({ exitCode: 0, output: '' })
    const ran = await run([node ?? '', 'out/program.js', api.url], folder)
    expect(ran).toEqual({ exitCode: 0, output: '[["from outside"],"not_found"]\n' })
  },
  300_000,
)
