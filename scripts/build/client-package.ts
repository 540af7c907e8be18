import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from './tool'

const WHAT = 'the client'

/** Writes `@sns/client` as it is published: types, one file of JavaScript, licence and README. */
export async function buildClient(
  root: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const source = join(root, 'client')
  await runTool(WHAT, { cwd: root, signal }, [
    'build',
    '--target=browser',
    '--format=esm',
    '--minify-syntax',
    '--minify-whitespace',
    `--outfile=${join(folder, 'index.js')}`,
    join(source, 'src/index.ts'),
  ])
  await runTool(WHAT, { cwd: root, signal }, [
    ...['--bun', 'run', 'tsc', '--project', source],
    ...['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', folder],
  ])
  const { name, version, description, license, type, sideEffects } = await Bun.file(
    join(source, 'package.json'),
  ).json()
  const exports = { '.': { types: './index.d.ts', default: './index.js' } }
  const manifest = { name, version, description, license, type, sideEffects, exports }
  await Bun.write(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await cp(join(source, 'README.md'), join(folder, 'README.md'))
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const bytes = Bun.gzipSync(await Bun.file(join(folder, 'index.js')).bytes()).length
  console.log(`${folder} (${(bytes / 1024).toFixed(1)} KB of JavaScript compressed)`)
}
