import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesQuery, parseSearchQuery } from '../domain/search-query'
import type { SearchIndex } from '../ports/search-index'
import { type SearchIndexFixture, searchSteps, turnThePage } from './search-documents'

const PARTICLES = [
  '',
  '이',
  '가',
  '은',
  '는',
  '을',
  '를',
  '의',
  '에',
  '에서',
  '에게',
  '도',
  '만',
  '까지',
].concat(['부터', '처럼', '보다', '으로', '하고', '이나', '라고', '에서는', '에서도', '이지만'])

/** What is looked for, a text that only parts of it are in, and texts that have it. */
const STRANGERS: readonly [string, string, ...string[]][] = [
  ['첫사랑', '사랑이 뭐길래', '첫사랑은 안 이루어진다'],
  ['예스24', '편의점은 24시간 연다', '예스24에서 샀다'],
  ['무신사', '동네 신사 한 분', '무신사에서 샀다'],
  ['에어팟', '이어팟은 없다', '에어팟을 잃어버렸다'],
  ['맨발', '발이 아프다', '맨발로 걷는다'],
  ['신제품', '이 제품은 별로', '신제품이 나왔다'],
  ['선생님', '이순신 선생 댁', '선생님께서 오셨다'],
  ['군것질', '질이 좋다', '군것질을 끊었다'],
  ['새해', '해가 뜬다', '새해 복 많이'],
  ['헛소리', '소리가 들린다', '헛소리 좀 그만'],
  ['풋사과', '사과가 맛있다', '풋사과가 시다'],
  ['햇감자', '감자를 캔다', '햇감자를 캔다'],
  ['카카오톡', '카카오 한 잔, 톡 쏘는 맛', '카카오톡이 왔다'],
  ['갤럭시s24', '은하 갤럭시 옆 s24 좌석', '갤럭시S24를 샀다'],
  ['아이폰15', '아이 폰은 15만 원', '아이폰15가 나왔다'],
  ['3월', '3일 뒤 월급', '3월에 보자'],
  ['오늘의집', '오늘 우리 집에서', '오늘의집에서 샀다'],
  ['배달의민족', '배달 우리 민족', '배달의민족으로 시켰다'],
  ['나는솔로', '나 참 솔로라니', '나는솔로를 본다'],
  ['김보라', '보라색 김', '김보라가 나온다'],
  ['이하나', '하나 둘', '이하나는 배우다'],
  ['하나', '하는 일', '하나만 더'],
  ['가요', '집에 가는 길', '가요를 듣자'],
  ['고양이', '고양시에 산다', '고양이가 운다'],
  ['일본의', '일 본의 아니게', '일본의 봄'],
  ['한국인', '한 국인이', '한국인이다'],
  ['두산', '산이 두 개', '두산이 이겼다'],
  ['신한은행', '은행나무', '신한은행에서'],
  ['국민은행', '국민이 은행에', '국민은행에서'],
  ['새마을금고', '마을 금고', '새마을금고에서'],
  ['KB국민', '국민 KB', 'KB국민이'],
  ['K팝', '팝송 K', 'K팝을 듣자'],
  ['LG전자', '전자 제품은 LG', 'LG전자는'],
  ['his', 'hi there', 'his name'],
  ['gas', 'ga', 'gas station'],
]

/** What every `SearchIndex` promises about matches: at least those of the reference. */
export function searchMatchConformance(
  index: () => SearchIndex,
  { exact, runs }: Pick<SearchIndexFixture, 'exact' | 'runs'>,
): void {
  const { fill, found } = searchSteps(index)

  describe('matching posts', () => {
    test('finds a Korean noun with any particle', async () => {
      await fill(['영화가 좋다', '그 영화를', '영화는 역시', '영화에서도', '멜로영화다', '만화를'])
      expect((await found('영화')).toSorted()).toEqual([0, 1, 2, 3, 4])
      expect(await found('멜로영화')).toContain(4)
      expect(await found('만화')).toContain(5)
    })

    test.each(STRANGERS)('does not find by %s: %s', async (q, stranger, ...wanted) => {
      await fill([stranger, ...wanted])
      const hits = await found(q)
      expect(hits.toSorted()).toEqual(wanted.map((_, at) => at + 1))
    })

    test('finds words around a particle that the query lacks', async () => {
      await fill(['한국의 역사', '한국은 역사가 길다', '역사 속 한국', '한국의 미래'])
      expect((await found('한국 역사')).toSorted()).toEqual([0, 1, 2])
      expect(await found('한국의 역사')).toContain(0)
    })

    test('finds a Korean noun under each particle, from two syllables on', async () => {
      const nouns = [
        '영화',
        '첫사랑',
        '무신사',
        '에어팟',
        '카카오톡',
        '오늘의집',
        '선생님',
        '헛소리',
      ]
      for (const noun of nouns) {
        turnThePage()
        await fill(PARTICLES.map((particle) => `그 ${noun}${particle} 다시`))
        const all = PARTICLES.map((_, at) => at)
        expect({ noun, found: (await found(noun)).toSorted((a, b) => a - b) }).toEqual({
          noun,
          found: all,
        })
      }
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

    test(`finds ${exact ? 'exactly' : 'at least'} what the reference finds`, async () => {
      const unit = fc.constantFrom('가', '나', '다', 'a', 'B', 'é', '1', "'", ' ', ' ', '👍', '食')
      const corpus = fc.array(fc.string({ unit, maxLength: 12 }), { minLength: 1, maxLength: 6 })
      const q = fc.string({
        unit: fc.oneof({ weight: 8, arbitrary: unit }, { weight: 1, arbitrary: fc.constant('"') }),
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
            if (exact) expect(hits).toEqual(expected)
            else expect(hits).toEqual(expect.arrayContaining(expected))
          }
        }),
        { numRuns: runs },
      )
    })
  })
}
