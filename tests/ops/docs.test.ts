import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openTestApi } from '@sns/api/testing/test-api'
import { ERROR_CODES } from '@sns/shared/errors/error-codes'
import { createMetrics } from '@sns/shared/observability/metrics'
import { Glob } from 'bun'

const root = join(import.meta.dir, '../..')
const docs = join(root, 'docs')
const read = (page: string) => readFileSync(join(docs, page), 'utf8')
const pages = readdirSync(docs).filter((name) => name.endsWith('.md'))

/** The first cells of a page's table rows that are code. */
function rows(page: string): Map<string, string> {
  const found = read(page).matchAll(/^\| `([^`]+)` \|.*$/gm)
  return new Map([...found].map(([line, name = '']) => [name, line]))
}

/** The part of a page below a heading. */
function rowsBelow(page: string, heading: string): string[] {
  const [, section = ''] = read(page).split(`\n## ${heading}\n`)
  const [table = ''] = section.split('\n## ')
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name)
}

/** The quoted examples in the second column of a table. */
function quotesBelow(page: string, heading: string): string[] {
  const [, section = ''] = read(page).split(`\n## ${heading}\n`)
  const cells = [...section.matchAll(/^\|[^|]+\| (`[^|]+) \|/gm)]
  return cells.flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, it = '']) => it))
}

/** Every TypeScript file but this one, texts that are put together from several on one line. */
let sourceTexts: readonly string[] | null = null
function sources(): readonly string[] {
  sourceTexts ??= [...new Glob('{client,services,shared,scripts,tests}/**/*.ts').scanSync(root)]
    .filter((path) => !path.includes('node_modules') && path !== 'tests/ops/docs.test.ts')
    .map((path) => readFileSync(join(root, path), 'utf8').replace(/['`] \+\n\s*['`]/g, ''))
  return sourceTexts
}

/** Whether a source has the text, with anything where the quote has `…`. */
function isPrinted(quote: string): boolean {
  const parts = quote.split('…').map((part) => RegExp.escape(part.trim()))
  const printed = new RegExp(parts.join('.*'))
  return sources().some((source) => printed.test(source))
}

describe('the page on operations', () => {
  test('quotes what is printed', () => {
    const quotes = [...read('03-operations.md').matchAll(/`([^`A-Z]*…[^`A-Z]*)`/g)]
      .map(([, quote = '']) => quote.replaceAll('\n', ' '))
      .filter((quote) => quote.includes(' '))
    expect(quotes.length).toBeGreaterThan(1)
    expect(quotes.filter((quote) => !isPrinted(quote))).toEqual([])
  })

  test('lists each metric and no other', async () => {
    const declared = Object.values(createMetrics()).flatMap((metric) =>
      'name' in metric && typeof metric.name === 'string' ? [metric.name] : [],
    )
    expect(declared.length).toBeGreaterThan(10)
    expect(rowsBelow('03-operations.md', 'Metrics').toSorted()).toEqual(declared.toSorted())
  })
})

describe('the page on errors', () => {
  test.each(Object.entries(ERROR_CODES))('lists %s', (code, { status }) => {
    expect(rows('06-errors.md').get(code)).toStartWith(`| \`${code}\` | ${status} |`)
  })

  test('lists no other', () => {
    expect(rowsBelow('06-errors.md', 'To clients')).toEqual(Object.keys(ERROR_CODES))
  })

  test('shows the body that a sign-up without a password gives', async () => {
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(read('06-errors.md')) ?? []
    await using api = await openTestApi()
    const { body } = await api.request('POST', '/v1/auth/signup', { body: { username: 'minji' } })
    expect({ ...body, requestId: '' }).toEqual({ ...JSON.parse(example), requestId: '' })
  })

  test.each(quotesBelow('06-errors.md', 'To operators'))('quotes what is printed: %s', (quote) => {
    expect(isPrinted(quote)).toBe(true)
  })
})

test.each(['01-architecture.md', 'glossary.md'])('%s names only files that are there', (page) => {
  const paths = [
    ...read(page).matchAll(/`((?:services|shared|scripts|ops|tests)\/[\w./-]+)`/g),
  ].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(40)
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('each promise of the feed is stated once', () => {
  const stated = pages.flatMap((page) =>
    [...read(page).matchAll(/^- \*\*(F\d+)\*\*/gm)].map(([, promise = '']) => promise),
  )
  expect(stated).toEqual(Array.from({ length: 11 }, (_, at) => `F${at + 1}`))
})

describe.each(pages)('%s', (page) => {
  test('links only to what is there', () => checkLinks(join(docs, page)))

  test('is in the index', () => {
    if (page !== 'README.md') expect(read('README.md')).toContain(`](${page})`)
  })
})

test.each(['README.md', 'CONTRIBUTING.md'])('%s links only to what is there', (page) =>
  checkLinks(join(root, page)),
)

function checkLinks(page: string): void {
  const text = readFileSync(page, 'utf8')
  for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : join(dirname(page), path)
    expect(existsSync(file), `${page} links to ${target}`).toBe(true)
    if (anchor === undefined) continue
    expect(anchors(readFileSync(file, 'utf8')), `${page} links to ${target}`).toContain(anchor)
  }
}

/** A heading's anchor as forges make it. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
