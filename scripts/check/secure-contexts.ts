import { dirname, join } from 'node:path'
import { Glob } from 'bun'

/** What runs in browsers. */
const BROWSER_CODE = ['client/src/**/*.ts', 'services/api/web/**/*.{ts,tsx}']
const SECURE = 'Available only in secure contexts.'

/**
 * Uses of what browsers have on https and localhost alone, as `file: navigator.locks`. A page that comes over plain http
 * from another machine lacks it, so code asks whether it is there: `navigator.locks?.request(…)`.
 */
export async function findSecureContextUses(root: string): Promise<readonly string[]> {
  const names = namesOfSecureContexts(await domTypes())
  const uses: string[] = []
  for (const pattern of BROWSER_CODE) {
    for await (const file of new Glob(pattern).scan({ cwd: root })) {
      if (file.endsWith('.test.ts')) continue
      const text = await Bun.file(join(root, file)).text()
      for (const use of unguardedUses(text, names)) uses.push(`${file}: ${use}`)
    }
  }
  return uses
}

export interface SecureNames {
  /** Of objects that every page has: `locks` of `navigator`, `subtle` of `crypto`. */
  readonly members: ReadonlySet<string>
  /** Of classes. */
  readonly globals: ReadonlySet<string>
  /** Of objects that stand by themselves: `caches`. */
  readonly values: readonly string[]
}

/** What the types of the DOM mark as missing elsewhere. */
export function namesOfSecureContexts(types: string): SecureNames {
  const [members, globals] = [new Set<string>(), new Set<string>()]
  const marked = new RegExp(
    `${RegExp.escape(SECURE)}[^/]*(?:/(?!\\n)[^/]*)*\\*/\\n(\\s*)(?:readonly |get |declare var |interface |function )?(\\w+)`,
    'g',
  )
  for (const [, indent = '', name = ''] of types.matchAll(marked)) {
    if (indent === '') globals.add(name)
    else members.add(name)
  }
  // An interface that is marked as a whole: its members, where it is mixed into another, and the members of its type.
  for (const name of globals) {
    const body = new RegExp(`^interface ${name}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm').exec(types)?.[1]
    if (/^Navigator/.test(name) && body) {
      for (const [, member = ''] of body.matchAll(/^ {4}(?:readonly )?(\w+)/gm)) members.add(member)
    }
    for (const [, member = ''] of types.matchAll(
      new RegExp(`^ {4}readonly (\\w+): ${name};`, 'gm'),
    ))
      members.add(member)
  }
  const values = [...types.matchAll(/^declare var (\w+): (\w+);/gm)]
    .filter(([, , type = '']) => globals.has(type))
    .map(([, name = '']) => name)
  return { members, globals, values }
}

/** Uses without a `?.` that asks whether it is there. */
export function unguardedUses(text: string, { members, globals, values }: SecureNames): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const uses: string[] = []
  for (const [whole, member = ''] of code.matchAll(
    /\b(?:navigator|crypto|window|self|globalThis|document)\??\.(\w+)\b(?!\?\.)/g,
  )) {
    if (members.has(member) || globals.has(member)) uses.push(whole)
  }
  for (const [whole, name = ''] of code.matchAll(/\bnew (\w+)\b/g)) {
    if (globals.has(name)) uses.push(whole)
  }
  for (const [whole, name = ''] of code.matchAll(/(?<![\w.'])(\w+)\./g)) {
    if (values.includes(name)) uses.push(whole.slice(0, -1))
  }
  return uses
}

async function domTypes(): Promise<string> {
  const compiler = Bun.resolveSync('typescript/package.json', import.meta.dir)
  const platform = `@typescript/typescript-${process.platform}-${process.arch}/package.json`
  const folder = dirname(Bun.resolveSync(platform, dirname(compiler)))
  return Bun.file(join(folder, 'lib/lib.dom.d.ts')).text()
}
