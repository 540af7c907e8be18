import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import page from '../../../web/index.html'

/** A file of the page, ready to be sent. */
export interface WebFile {
  readonly type: string
  readonly plain: Uint8Array
  readonly gzip: Uint8Array
  readonly brotli: Uint8Array
  readonly etag: string
}

export interface WebBundle {
  readonly index: WebFile
  /** Scripts and styles by their names, which change with what they hold. */
  readonly assets: ReadonlyMap<string, WebFile>
}

/** Where assets are served. */
export const ASSETS = '/web/'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/**
 * The page with its scripts and styles. An executable has them inside; from the checkout Bun's bundler makes them, in a
 * process of its own, as this one would keep what it read.
 */
export async function bundlePage(): Promise<WebBundle> {
  const texts = page.files
    ? await readAll(page.files.map(({ path }) => path))
    : await bundleSource(page.index)
  const name = [...texts.keys()].find((each) => each.endsWith('.html'))
  const html = name === undefined ? undefined : texts.get(name)
  if (name === undefined || html === undefined) throw new Error('the bundle has no page')
  texts.delete(name)
  return {
    index: webFile('page.html', withAssets(html, [...texts.keys()])),
    assets: new Map([...texts].map(([asset, text]) => [asset, webFile(asset, text)])),
  }
}

async function bundleSource(source: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'sns-web-'))
  try {
    const bundler = Bun.spawn(
      [process.execPath, 'build', source, '--production', `--outdir=${folder}`],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    )
    const problems = await new Response(bundler.stderr).text()
    if ((await bundler.exited) !== 0) throw new Error(`the page cannot be bundled: ${problems}`)
    return await readAll((await readdir(folder)).map((name) => join(folder, name)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readAll(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = await Promise.all(paths.map((path) => Bun.file(path).text()))
  return new Map(paths.map((path, at) => [basename(path), texts[at] ?? '']))
}

/** The page names its assets relative to itself; it is shown at many paths. */
function withAssets(html: string, assets: readonly string[]): string {
  return assets.reduce(
    (text, asset) =>
      text.replaceAll(
        new RegExp(`"(?:\\./|/)?${RegExp.escape(asset)}"`, 'g'),
        `"${ASSETS}${asset}"`,
      ),
    html,
  )
}

function webFile(name: string, text: string): WebFile {
  const plain = Buffer.from(text)
  return {
    type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    plain,
    gzip: Bun.gzipSync(plain, { level: 9 }),
    brotli: brotliCompressSync(plain, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
    }),
    etag: `"${Bun.hash(plain).toString(36)}"`,
  }
}
