import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { firstIdAt, type PostId, type UserId } from '../domain/id'
import { matchesQuery, parseSearchQuery } from '../domain/search-query'
import type { PostSearch, SearchChange, SearchIndex, SearchKey } from '../ports/search-index'

export interface SearchIndexFixture extends AsyncDisposable {
  readonly index: SearchIndex
}

export interface SearchIndexConformance {
  open(): Promise<SearchIndexFixture>
  /** Whether it finds what the reference finds and nothing else. */
  readonly exact: boolean
  /** Runs of the property tests. */
  readonly runs: number
}

const MINUTE = 60_000
/** Where the posts of the test at hand begin: each has days of its own, instead of an empty index. */
let start = Date.UTC(2026, 0, 1)
const SPAN = 2 * 24 * 60 * MINUTE

/** What every search index must do. */
export function searchIndexConformance(name: string, conformance: SearchIndexConformance): void {
  describe(name, () => {
    let fixture: SearchIndexFixture
    let index: SearchIndex

    beforeAll(async () => {
      fixture = await conformance.open()
      index = fixture.index
    })
    beforeEach(turnThePage)
    afterAll(() => fixture?.[Symbol.asyncDispose]())

    const apply = async (...changes: SearchChange[]) => {
      const result = await index.apply(changes)
      await index.refresh()
      return result
    }
    const fill = (texts: readonly string[]) => apply(...texts.map((text, n) => post(n, text)))
    const found = async (q: string, search: Partial<PostSearch> = {}) =>
      (await index.searchPosts({ ...anyPost(), q, ...search })).map((hit) => numberOf(hit.id))
    const foundUsers = async (q: string) =>
      (await index.searchUsers({ q, after: null, limit: 100 })).map((hit) => Number(hit.id))

    describe('applying changes', () => {
      test('indexes, replaces and deletes', async () => {
        expect(await apply(post(1, 'first words', 1n))).toEqual({
          applied: 1,
          stale: 0,
          rejected: [],
        })
        expect(await found('first')).toEqual([1])
        await apply(post(1, 'other words', 2n))
        expect(await found('first')).toEqual([])
        expect(await found('other')).toEqual([1])
        await apply(removal(1, 3n))
        expect(await found('words')).toEqual([])
      })

      test('keeps the newer version, whatever comes first', async () => {
        await apply(post(1, 'newer', 5n))
        expect(await apply(post(1, 'older', 4n))).toEqual({ applied: 0, stale: 1, rejected: [] })
        expect(await apply(removal(1, 3n))).toEqual({ applied: 0, stale: 1, rejected: [] })
        expect(await found('older')).toEqual([])
        expect(await found('newer')).toEqual([1])
      })

      test('lets no older version come back after a delete', async () => {
        await apply(post(1, 'once', 1n))
        await apply(removal(1, 3n))
        expect(await apply(post(1, 'late', 2n))).toMatchObject({ applied: 0, stale: 1 })
        expect(await found('once late')).toEqual([])
        expect(await found('late')).toEqual([])
      })

      test('keeps an older version out of a document that was deleted before it came', async () => {
        expect(await apply(removal(1, 3n))).toEqual({ applied: 1, stale: 0, rejected: [] })
        expect(await apply(post(1, 'late', 2n))).toMatchObject({ applied: 0, stale: 1 })
        expect(await found('late')).toEqual([])
        expect(await apply(post(1, 'again', 4n))).toMatchObject({ applied: 1, stale: 0 })
        expect(await found('again')).toEqual([1])
      })

      test('may be repeated', async () => {
        const changes = [post(1, 'one', 1n), post(2, 'two', 2n), removal(3, 3n)]
        await apply(...changes)
        await apply(...changes)
        expect(await found('one')).toEqual([1])
        expect(await found('two')).toEqual([2])
        await apply(removal(1, 4n))
        await apply(...changes)
        expect(await found('one')).toEqual([])
      })

      test('tells apart versions that a double cannot', async () => {
        const version = (30n << 58n) | 1n
        await apply(post(1, 'newer', version + 1n))
        expect(await apply(post(1, 'older', version))).toMatchObject({ stale: 1 })
        expect(await apply(post(1, 'newest', version + 2n))).toMatchObject({ applied: 1 })
        expect(await found('newest')).toEqual([1])
      })

      test('takes nothing and much', async () => {
        expect(await index.apply([])).toEqual({ applied: 0, stale: 0, rejected: [] })
        const many = Array.from({ length: 1500 }, (_, n) => post(n, `many n${n}`))
        expect(await apply(...many)).toEqual({ applied: 1500, stale: 0, rejected: [] })
        expect(await found('n1499')).toEqual([1499])
        expect(await found('n700')).toEqual([700])
      })

      test('takes any text', async () => {
        const texts = [
          '\u0001\u0000 x',
          '\uFDFA',
          'a'.repeat(2000),
          '가'.repeat(2000),
          '👍'.repeat(2000),
        ]
        expect(await fill([...texts, '"\\\n\t{}', 'ؼ\u202E end'])).toMatchObject({ rejected: [] })
        expect(await found('a'.repeat(2000))).toEqual([2])
        expect(await found('가가가')).toEqual([3])
        expect(await found('end')).toEqual([6])
      })

      test('ends in the same state in whatever order changes come', async () => {
        const steps = fc.array(
          fc.record({ n: fc.integer({ min: 0, max: 3 }), gone: fc.boolean() }),
          { minLength: 1, maxLength: 12 },
        )
        const history = steps.chain((log) => {
          const order = fc.array(fc.nat(log.length - 1), { maxLength: 5 }).chain((again) => {
            const all = [...log.keys(), ...again]
            return fc.shuffledSubarray(all, { minLength: all.length })
          })
          return fc.record({ log: fc.constant(log), order })
        })
        await fc.assert(
          fc.asyncProperty(
            history,
            fc.integer({ min: 1, max: 4 }),
            async ({ log, order }, batch) => {
              turnThePage()
              const changes = log.map(({ n, gone }, at) =>
                gone ? removal(n, BigInt(at + 1)) : post(n, `word v${at + 1}`, BigInt(at + 1)),
              )
              const shuffled = order.flatMap((at) => changes[at] ?? [])
              for (let at = 0; at < shuffled.length; at += batch) {
                await index.apply(shuffled.slice(at, at + batch))
              }
              await index.refresh()
              const last = new Map(changes.map((each) => [idOf(each), each]))
              const live = [...last.values()].filter((each) => each.op === 'index')
              expect((await found('word')).toSorted()).toEqual(
                live.map((each) => numberOf(idOf(each))).toSorted(),
              )
              for (const each of live) {
                expect(await found(`v${each.version}`)).toEqual([numberOf(idOf(each))])
              }
            },
          ),
          { numRuns: conformance.runs },
        )
      })
    })

    describe('matching posts', () => {
      test('finds a Korean noun whatever particle hangs on it', async () => {
        await fill([
          '영화가 좋다',
          '그 영화를',
          '영화는 역시',
          '영화에서도',
          '멜로영화다',
          '만화를',
        ])
        expect((await found('영화')).toSorted()).toEqual([0, 1, 2, 3, 4])
        expect(await found('멜로영화')).toContain(4)
        expect(await found('만화')).toContain(5)
      })

      test('finds words that no dictionary knows', async () => {
        await fill(['갓생러들이 모여', '완내스였다', '킹받네요 진짜', '뇌절은 그만'])
        expect(await found('갓생러')).toContain(0)
        expect(await found('완내스')).toContain(1)
        expect(await found('킹받')).toContain(2)
        expect(await found('뇌절')).toContain(3)
      })

      test('finds mixed scripts, glued or not', async () => {
        await fill(['LG전자는 올랐다', '2024년에 본 iPhone15를', 'K-POP을 듣자'])
        expect(await found('lg')).toEqual([0])
        expect(await found('LG전자')).toEqual([0])
        expect(await found('2024년 iphone15')).toEqual([1])
        expect(await found('k-pop')).toEqual([2])
      })

      test('finds one syllable too', async () => {
        await fill(['집에 간다', '우리 집', '빈집에서', '지붕'])
        expect((await found('집')).toSorted()).toEqual([0, 1, 2])
      })

      test('wants all words, case and accents aside', async () => {
        await fill(['The Café is OPEN', 'the cafe', 'open', 'I don’t know'])
        expect(await found('cafe')).toHaveLength(2)
        expect(await found('CAFÉ open')).toEqual([0])
        expect(await found("DON'T")).toEqual([3])
        expect(await found('café closed')).toEqual([])
      })

      test('wants quoted words in order', async () => {
        await fill(['a quick brown fox', 'a brown quick fox', '최고의 영화를 봤다', '영화 최고의'])
        expect(await found('"quick brown"')).toEqual([0])
        expect(await found('"최고의 영화"')).toEqual([2])
        expect(await found('"quick brown" cat')).toEqual([])
        expect((await found('"quick brown')).toSorted()).toEqual([0, 1])
      })

      test('finds emoji, kana and right-to-left words', async () => {
        await fill(['nice 👍🏽 ❤️', '寿司を食べる', 'שָׁלוֹם עולם', 'مرحبا بالعالم'])
        expect(await found('👍')).toEqual([0])
        expect(await found('❤')).toEqual([0])
        expect(await found('食べる')).toEqual([1])
        expect(await found('寿司')).toEqual([1])
        expect(await found('שלום')).toEqual([2])
        expect(await found('مرحبا')).toEqual([3])
      })

      test('takes hostile queries for text', async () => {
        await fill(['near or not and', 'plain'])
        const hostile = [
          'NEAR(plain x)',
          '"',
          '""',
          '"""plain',
          "'; drop table posts;--",
          '\\',
          '\\"plain\\"',
          'plain*',
          '-plain',
          'terms:plain',
          '^plain',
          '{plain}',
          '(plain',
          'plain AND',
          '*:*',
          '/pl.*/',
          'plain~2',
          'plain^9',
          '[a TO z]',
          '\u0000plain',
          '\uD800plain',
          '%',
          '_',
          '<b>plain',
        ]
        for (const q of hostile) {
          const reference = parseSearchQuery(q)
          const expected = matchesQuery('plain', reference) ? [1] : []
          expect({ q, found: await found(q) }).toEqual({ q, found: expected })
        }
        expect(await found('near OR not')).toEqual([0])
        expect(await found('plain '.repeat(5000))).toEqual([1])
        expect(await found('x'.repeat(100_000))).toEqual([])
        expect(await found(`"${'가나다라'.repeat(2000)}"`)).toEqual([])
        expect(await found(Array.from({ length: 300 }, (_, n) => `w${n}`).join(' '))).toEqual([])
      })

      test(`finds ${conformance.exact ? 'exactly' : 'at least'} what the reference finds`, async () => {
        const unit = fc.constantFrom(
          '가',
          '나',
          '다',
          'a',
          'B',
          'é',
          '1',
          "'",
          ' ',
          ' ',
          '👍',
          '食',
        )
        const corpus = fc.array(fc.string({ unit, maxLength: 12 }), { minLength: 1, maxLength: 6 })
        const q = fc.string({
          unit: fc.oneof(
            { weight: 8, arbitrary: unit },
            { weight: 1, arbitrary: fc.constant('"') },
          ),
          maxLength: 6,
        })
        const queries = fc.array(q, { minLength: 1, maxLength: 6 })
        await fc.assert(
          fc.asyncProperty(corpus, queries, async (texts, wanted) => {
            turnThePage()
            await fill(texts)
            for (const each of wanted) {
              const query = parseSearchQuery(each)
              const expected = texts.flatMap((text, n) => (matchesQuery(text, query) ? [n] : []))
              const hits = (await found(each)).toSorted()
              if (conformance.exact) expect(hits).toEqual(expected)
              else expect(hits).toEqual(expect.arrayContaining(expected))
            }
          }),
          { numRuns: conformance.runs },
        )
      })
    })

    describe('filters', () => {
      test('keep what was asked for', async () => {
        await apply(
          post(1, 'sieve', 1n, 10),
          post(2, 'sieve', 1n, 20),
          post(3, 'sieve', 1n, 10),
          post(4, 'sieve', 1n, 30),
        )
        const author = (id: number) => id as UserId
        const all = async (search: Partial<PostSearch>) => (await found('sieve', search)).toSorted()
        expect(await all({ authorId: author(10), since: null, until: null })).toEqual([1, 3])
        expect(await all({ authorId: author(99) })).toEqual([])
        expect(await all({ since: start + 2 * MINUTE, until: null })).toEqual([2, 3, 4])
        expect(await all({ since: null, until: start + 2 * MINUTE })).toEqual([1])
        expect(await all({ since: start + 2 * MINUTE, until: start + 4 * MINUTE })).toEqual([2, 3])
        expect(await all({ excludeAuthors: [author(10), author(30)] })).toEqual([2])
        expect(await all({ excludeAuthors: [author(20)], authorId: author(20) })).toEqual([])
        const many = Array.from({ length: 3000 }, (_, n) => author(1000 + n))
        expect(await all({ excludeAuthors: [...many, author(10)] })).toEqual([2, 4])
      })
    })

    describe('order', () => {
      test('is by score, then newest first, and pages repeat and lose nothing', async () => {
        const texts = Array.from({ length: 60 }, (_, n) =>
          n % 3 === 0 ? 'tie word' : `${'word '.repeat(1 + (n % 4))}${'other '.repeat(n % 7)}`,
        )
        await fill(texts)
        const all = await index.searchPosts({ ...anyPost(), q: 'word', limit: 100 })
        expect(all).toHaveLength(60)
        for (const [at, hit] of all.entries()) {
          const before = all[at - 1]
          if (before === undefined) continue
          expect(before.score).toBeGreaterThanOrEqual(hit.score)
          if (before.score === hit.score) expect(before.id).toBeGreaterThan(hit.id)
        }
        expect(new Set(all.map((hit) => hit.score)).size).toBeLessThan(60)
        await fc.assert(
          fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 20 })), async (sizes) => {
            const pages: number[] = []
            let after: SearchKey | null = null
            for (const limit of sizes) {
              const hits = await index.searchPosts({ ...anyPost(), q: 'word', after, limit })
              expect(hits.length).toBeLessThanOrEqual(limit)
              pages.push(...hits.map((hit) => hit.id))
              const last = hits.at(-1)
              if (last === undefined) break
              after = JSON.parse(JSON.stringify({ score: last.score, id: last.id }))
            }
            expect(pages).toEqual(all.map((hit) => hit.id))
          }),
          { numRuns: 10 },
        )
      })

      test('puts what says it more above what says it less', async () => {
        await fill([
          'a long text that says penguin once among very many other words that matter as much',
          'penguin',
        ])
        expect(await found('penguin')).toEqual([1, 0])
      })
    })

    describe('highlights', () => {
      test('mark what matches and escape the rest', async () => {
        await fill(['<b>영화</b>가 & "좋다"', 'plain <mark>text</mark> café'])
        const mark = async (q: string) =>
          (await index.searchPosts({ ...anyPost(), q })).map((hit) => hit.highlight)
        expect(await mark('영화')).toEqual([
          '&lt;b&gt;<mark>영화</mark>&lt;/b&gt;가 &amp; &quot;좋다&quot;',
        ])
        expect(await mark('"text mark cafe"')).toEqual([
          'plain &lt;mark&gt;<mark>text&lt;/mark&gt; café</mark>',
        ])
      })
    })

    describe('users', () => {
      test('are found by the beginning of the username, then by words of the name', async () => {
        await apply(
          user(1, 'kim', 'Someone'),
          user(2, 'Kim_Chulsoo', 'Chulsoo'),
          user(3, 'other', '김철수'),
          user(4, 'another', 'Kim Younghee'),
          user(5, 'akim', 'Kimberly Jones'),
        )
        expect(await foundUsers('kim')).toEqual([1, 2, 5, 4])
        expect(await foundUsers('@KIM_')).toEqual([2])
        expect(await foundUsers('철수')).toEqual([3])
        expect(await foundUsers('김')).toEqual([3])
        expect(await foundUsers('kim young')).toEqual([4])
        expect(await foundUsers('younghee kim')).toEqual([4])
        expect(await foundUsers('young kim')).toEqual([])
        expect(await foundUsers('jones berly')).toEqual([])
        expect(await foundUsers('nobody')).toEqual([])
        expect(await foundUsers('!')).toEqual([])
        expect(await foundUsers('_')).toEqual([])
        expect(await foundUsers('kim*')).toContain(4)
      })

      test('follow renames and deletes, older versions out', async () => {
        await apply(user(101, 'ann', 'Old Name', 1n))
        await apply(user(101, 'ann', 'New Face', 3n))
        expect(await apply(user(101, 'ann', 'Middle', 2n))).toMatchObject({ stale: 1 })
        expect(await foundUsers('face')).toEqual([101])
        expect(await foundUsers('old')).toEqual([])
        await apply({ op: 'delete', kind: 'user', id: 101, version: 4n })
        expect(await apply(user(101, 'ann', 'Back', 3n))).toMatchObject({ stale: 1 })
        expect(await foundUsers('ann')).toEqual([])
        expect(await foundUsers('face')).toEqual([])
      })

      test('and posts of the same id are apart', async () => {
        const id = idAt(1)
        await apply(post(1, 'twin', 5n), user(id, 'twin', 'Twin', 1n))
        await apply({ op: 'delete', kind: 'user', id, version: 6n })
        expect(await found('twin')).toEqual([1])
        expect(await foundUsers('twin')).toEqual([])
      })

      test('come in pages', async () => {
        const users = Array.from({ length: 25 }, (_, n) =>
          n % 2 ? user(n + 201, `pat${n}`, 'X') : user(n + 201, `x${n}`, 'Pat Y'),
        )
        await apply(...users)
        const pages: number[] = []
        let after: SearchKey | null = null
        for (;;) {
          const hits = await index.searchUsers({ q: 'pat', after, limit: 4 })
          pages.push(...hits.map((hit) => Number(hit.id)))
          const last = hits.at(-1)
          if (last === undefined) break
          after = { score: last.score, id: last.id }
        }
        const ids = users.map((_, n) => n + 201).toReversed()
        expect(pages).toEqual([
          ...ids.filter((id) => id % 2 === 0),
          ...ids.filter((id) => id % 2 === 1),
        ])
      })
    })
  })
}

function turnThePage(): void {
  start += SPAN
}

function anyPost(): PostSearch {
  return {
    q: '',
    authorId: null,
    since: start,
    until: start + SPAN,
    excludeAuthors: [],
    after: null,
    limit: 100,
  }
}

function idAt(n: number): number {
  return firstIdAt(start + n * MINUTE)
}

function numberOf(id: number): number {
  return Math.round((id - idAt(0)) / (idAt(1) - idAt(0)))
}

function idOf(change: SearchChange): number {
  return change.op === 'index' ? change.document.id : change.id
}

/** The nth post, made n minutes into the test's own days. */
function post(n: number, text: string, version = 1n, author = 7): SearchChange & { op: 'index' } {
  return {
    op: 'index',
    version,
    document: {
      kind: 'post',
      id: idAt(n) as PostId,
      authorId: author as UserId,
      text,
      createdAt: start + n * MINUTE,
    },
  }
}

function removal(n: number, version: bigint): SearchChange {
  return { op: 'delete', kind: 'post', id: idAt(n), version }
}

function user(id: number, username: string, displayName: string, version = 1n): SearchChange {
  return {
    op: 'index',
    version,
    document: { kind: 'user', id: id as UserId, username, displayName },
  }
}
