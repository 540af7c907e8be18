import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PostId } from '@sns/shared/domain/id'
import { matchesQuery, parseSearchQuery } from '@sns/shared/domain/search-query'
import type { SearchChange, SearchIndex } from '@sns/shared/ports/search-index'
import fc from 'fast-check'
import { openTestApi, type TestApi, type TestUser } from './test-api'

export interface LaggingSearchSuite {
  /** An empty index. */
  open(): Promise<AsyncDisposable & { readonly index: SearchIndex }>
  /** Whether the index finds nothing but what the reference finds. */
  readonly exact: boolean
  readonly runs: number
}

interface Hit {
  readonly id: string
  readonly text: string
  readonly highlight: string
}

const WORDS = [
  'phone',
  '010-1234',
  '<b>',
  '영화',
  '영화가',
  '멜로영화',
  'Café',
  'dogs',
  '👍🏽',
  '&',
]
const QUERIES = ['phone', '010', '영화', 'cafe', 'dog', '👍', '"phone 010"', '영화 phone', 'b']

const text = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), text }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('edit' as const), at: fc.nat(), text }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), at: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('index' as const),
      most: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      q: fc.constantFrom(...QUERIES),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What a reader may see of edited posts while the index still holds their old text. */
export function laggingSearchConformance(
  name: string,
  { open, exact, runs }: LaggingSearchSuite,
): void {
  describe(`search over ${name} that trails`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let api: TestApi
    let reader: TestUser
    let people = 0

    beforeAll(async () => {
      opened = await open()
      api = await openTestApi({ wrap: (deps) => ({ ...deps, search: opened.index }) })
      reader = await api.signUp('reader')
    })
    afterAll(async () => {
      await api?.[Symbol.asyncDispose]()
      await opened?.[Symbol.asyncDispose]()
    })

    /** A writer whose changes reach the index only when they are told to. */
    async function createWriter() {
      people += 1
      const writer = await api.signUp(`writer_${people}`)
      const current = new Map<string, string>()
      const indexed = new Map<string, string>()
      const log: { id: string; text: string | null }[] = []
      const ids = () => [...current.keys()]
      let version = 0n
      return {
        current,
        indexed,
        pick: (at: number) => ids()[at % Math.max(1, ids().length)],
        async write(written: string): Promise<string> {
          const { body } = await api.request('POST', '/v1/posts', {
            as: writer,
            body: { text: written },
          })
          current.set(body.id, body.text)
          log.push({ id: body.id, text: body.text })
          return body.id
        },
        async edit(id: string, written: string) {
          const { body } = await api.request('PATCH', `/v1/posts/${id}`, {
            as: writer,
            body: { text: written },
          })
          current.set(id, body.text)
          log.push({ id, text: body.text })
        },
        async remove(id: string) {
          await api.request('DELETE', `/v1/posts/${id}`, { as: writer })
          current.delete(id)
          log.push({ id, text: null })
        },
        /** Lets the oldest changes that wait into the index. */
        async index(most: number) {
          const some = log.splice(0, most)
          for (const change of some) {
            if (change.text === null) indexed.delete(change.id)
            else indexed.set(change.id, change.text)
          }
          const changes = some.map((change): SearchChange => {
            version += 1n
            const id = Number(change.id) as PostId
            if (change.text === null) return { op: 'delete', kind: 'post', id, version }
            const document = { id, authorId: writer.id, text: change.text, createdAt: 1 }
            return { op: 'index', version, document: { kind: 'post', ...document } }
          })
          // One by one: of several changes to a document in one call, any may stay.
          for (const change of changes) await opened.index.apply([change])
          await opened.index.refresh()
        },
        /** All that is found, page by page. */
        async search(q: string, limit: number): Promise<Hit[]> {
          const hits: Hit[] = []
          let cursor: string | null = null
          do {
            const query = new URLSearchParams({ q, limit: String(limit), author: writer.username })
            if (cursor !== null) query.set('cursor', cursor)
            const { status, body } = await api.request('GET', `/v1/search/posts?${query}`, {
              as: reader,
            })
            expect(status).toBe(200)
            hits.push(...body.items)
            cursor = body.nextCursor
            expect(cursor === null || body.items.length === limit).toBe(true)
          } while (cursor !== null)
          return hits
        },
      }
    }

    test('shows what a post says now, and no post that no longer says what was looked for', async () => {
      const writer = await createWriter()
      const id = await writer.write('phone 010-1234-5678')
      await writer.index(1)
      expect(await writer.search('010', 9)).toMatchObject([{ id }])
      await writer.edit(id, 'phone <gone>')
      expect(await writer.search('phone', 9)).toMatchObject([
        { id, text: 'phone <gone>', highlight: '<mark>phone</mark> &lt;gone&gt;' },
      ])
      expect(await writer.search('010', 9)).toEqual([])
      await writer.index(1)
      expect(await writer.search('gone', 9)).toMatchObject([{ id }])
    })

    test('fills its pages from further hits', async () => {
      const writer = await createWriter()
      const ids: string[] = []
      for (let at = 0; at < 12; at += 1) ids.unshift(await writer.write('same words'))
      await writer.index(12)
      for (const id of ids.slice(1, 9)) await writer.edit(id, 'other words')
      const left = ids.filter((_, at) => at < 1 || at >= 9)
      for (const limit of [1, 2, 3, 4, 5]) {
        expect((await writer.search('same', limit)).map(({ id }) => id)).toEqual(left)
      }
    })

    test('keeps a Korean noun under another particle', async () => {
      const writer = await createWriter()
      const id = await writer.write('이 영화가 좋다')
      await writer.index(1)
      await writer.edit(id, '저 영화를 봤다')
      expect(await writer.search('영화', 9)).toMatchObject([
        { highlight: '저 <mark>영화</mark>를 봤다' },
      ])
    })

    test.skipIf(exact)('keeps what a language’s rules found while it says the same', async () => {
      const writer = await createWriter()
      const id = await writer.write('two dogs')
      await writer.index(1)
      expect(await writer.search('dog', 9)).toMatchObject([
        { id, highlight: 'two <mark>dogs</mark>' },
      ])
      const korean = await writer.write('도시 역사를 읽는다')
      await writer.index(1)
      expect(await writer.search('도시의 역사', 9)).toMatchObject([
        { id: korean, highlight: '<mark>도시</mark> <mark>역사</mark>를 읽는다' },
      ])
      await writer.edit(id, 'two cats')
      expect(await writer.search('dog', 9)).toEqual([])
    })

    async function take(writer: Awaited<ReturnType<typeof createWriter>>, each: Step) {
      if (each.do === 'write') await writer.write(each.text.join(' '))
      else if (each.do === 'index') await writer.index(each.most)
      else if (each.do === 'search') await checkSearch(writer, each.q, each.limit)
      else {
        const id = writer.pick(each.at)
        if (id === undefined) return
        if (each.do === 'edit') await writer.edit(id, each.text.join(' '))
        else await writer.remove(id)
      }
    }

    async function checkSearch(
      { search, current, indexed }: Awaited<ReturnType<typeof createWriter>>,
      q: string,
      limit: number,
    ) {
      const query = parseSearchQuery(q)
      const hits = await search(q, limit)
      for (const { id, text: shown, highlight } of hits) {
        expect({ id, shown }).toEqual({ id, shown: current.get(id) ?? 'deleted' })
        const foundAsItIs = !exact && indexed.get(id) === shown
        expect({ shown, q, matches: matchesQuery(shown, query) || foundAsItIs }).toEqual({
          shown,
          q,
          matches: true,
        })
        expect(highlight.replaceAll(/<\/?mark>/g, '')).toBe(escaped(shown))
        expect(highlight).toContain('<mark>')
      }
      const found = new Set(hits.map(({ id }) => id))
      expect(found.size).toBe(hits.length)
      for (const [id, shown] of current) {
        const wasIndexed = indexed.get(id)
        if (wasIndexed === undefined || !matchesQuery(wasIndexed, query)) continue
        if (matchesQuery(shown, query))
          expect({ q, shown, found: found.has(id) }).toEqual({ q, shown, found: true })
      }
    }

    test('shows only current texts, however late the index is', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 30 }), async (steps) => {
          const writer = await createWriter()
          for (const each of steps) await take(writer, each)
          for (const q of QUERIES) await checkSearch(writer, q, 3)
        }),
        { numRuns: runs },
      )
    }, 60_000)
  })
}

/** As HTML must say it, in marks and without. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
