import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Entity, findEntities, mentionedIn, tagKey, tagKeysIn } from './entities'

/** What each entity of a kind covers, cut out by its places. */
function covered(text: string, type: Entity['type']): string[] {
  const points = [...text]
  return findEntities(text)
    .filter((each) => each.type === type)
    .map(({ start, end }) => points.slice(start, end).join(''))
}

describe('mentions', () => {
  test.each([
    ['@ada', ['@ada']],
    ['hello @Ada_1, and @bob!', ['@Ada_1', '@bob']],
    ['@민지 @minji에게 👋 @minji', ['@minji', '@minji']],
    ['(@ada) "@bob" …@eve', ['@ada', '@bob', '@eve']],
    ['@ada님이 @adaさん @ada先生 @adaครับ @ada', Array(5).fill('@ada')],
    ['@ada. @ada, @ada… @ada... @ada...thanks', Array(5).fill('@ada')],
    ["@ada's “@ada” @ada:hello @ada- @ada!", Array(5).fill('@ada')],
    ['@ada.그런데 @ada/민지', ['@ada', '@ada']],
    ['.@ada -@ada *@ada* \u200f@ada ~@ada', Array(5).fill('@ada')],
    ['@ada/@bob @ada+@bob @ada,@bob', ['@ada', '@bob', '@ada', '@bob', '@ada', '@bob']],
    ['@ada👍 👍🏽@ada @ada❤️ 1️⃣@ada', Array(4).fill('@ada')],
    ['@ada\u200d @ada\ufe0f @ada\u200b님', Array(3).fill('@ada')],
  ] as const)('%s', (text, expected) => {
    expect(covered(text, 'mention')).toEqual([...expected])
  })

  test.each([
    // Longer names than those of here.
    ...['hola @josé', '@jos\u0065\u0301', '@zoë', '@straße', '@jos\u00ade', '@jos\u200dé', '@josя'],
    ...['@ada-lee', '@ada\u2011lee', '@ada--lee', '@ada-\u200blee', '@a-b', '@ada\u0323', '@ada１'],
    ...[
      '@a',
      `@${'x'.repeat(31)}`,
      '@民地',
      '@名前',
      '@１２３',
      '@ada１️⃣',
      '@ada/core',
      '@types/node',
    ],
    // People of other servers.
    ...[
      '@ada@example.com',
      '@ada@localhost',
      '@anna.de@pods.example',
      '@ada＠pods.example',
      '@@ada',
    ],
    ...['@jos.bsky.social', '@name.tld', '@ada.lee', '@ada:matrix.example', '@ada@', '@ada﹫x'],
    // Addresses of mail and of pages.
    ...[
      'me@example.com',
      'foo+@jos.com',
      'foo.@jos',
      'foo-@jos',
      'foo_@jos',
      'foo%@jos',
      '이름@jos',
    ],
    ...['a.@ada', 'a\u200b@ada', 'á@ada', 'mail:x+y@ada', '"x y"@jos.com', '<x@ada>', 'git@ada:x'],
    ...[
      'https://ex.com/?u=@jos',
      'https://example.com/@ada',
      'HTTP://EX.COM/@ada',
      '보기https://x.kr/@ada',
    ],
    ...[
      'ex.com/?u=@jos',
      'ex.com/@ada',
      'ex.com?@ada',
      'www.ex.com/@ada',
      'ssh://git@ada/x',
      'ssh://@ada',
    ],
    ...[
      'https://@ada',
      'https://ada:@bob',
      'https://x/(@ada)',
      '/@ada',
      'u=@jos',
      '＠ada',
      '＠ａｄａ',
    ],
  ])('%s names nobody', (text) => {
    expect(covered(text, 'mention')).toEqual([])
    expect(mentionedIn(`x ${text} x`)).toEqual([])
  })

  test('count once, whatever their case', () => {
    expect(mentionedIn('@Ada @ada @ADA @bob')).toEqual(['ada', 'bob'])
  })
})

describe('hashtags', () => {
  test.each([
    ['#말 ＃말 #맛집_2 ﹟말', ['#말', '＃말', '#맛집_2', '﹟말']],
    ['(#tag) #Tag! #tag. "#tag"', ['#tag', '#Tag', '#tag', '#tag']],
    ['👩‍👩‍👧 #가족 👨#가족', ['#가족', '#가족']],
    ['#2026 #_1 # #- #1 ＃１', []],
    ['#2026년', ['#2026년']],
    ['C# a#b &#39; &#x27; https://x/#part', []],
    ['#one#two ##three', ['#one', '#three']],
    [`#${'가'.repeat(101)}`, []],
    [`#${'가'.repeat(100)}`, [`#${'가'.repeat(100)}`]],
    ['#️⃣Hello #⃣Hello #\ufe0fHello #\u0301Hello *️⃣ 1️⃣', []],
    ['#️⃣ #tag', ['#tag']],
    ['#نرم‌افزار #क्‍ष', ['#نرم‌افزار', '#क्‍ष']],
    ['#col·lecció #ロック・バンド', ['#col·lecció', '#ロック・バンド']],
    ['#tag\u200d #tag· #tag‌, #tag👍 #tag❤️', Array(5).fill('#tag')],
    ['\u200f#שלום\u200f #مرحبا\u200e', ['#שלום', '#مرحبا']],
    ['#café #cafe\u0301', ['#café', '#cafe\u0301']],
    ['https://ex.com/?q=#tag https://ex.com/a)#b (https://ex.com/a)#b', []],
    ['ex.com/?q=#tag ex.com/a)#b www.ex.com/a#b ?q=#tag x/#tag', []],
    ['끝.#태그 안녕\u200b#태그 @ada#tag', ['#태그', '#태그']],
  ] as const)('%s', (text, expected) => {
    expect(covered(text, 'hashtag')).toEqual([...expected])
  })

  test.each([
    ['#Ｂｕｎ #bun #BUN', 'bun'],
    ['#STRASSE #straße #Strasse #STRAẞE', 'strasse'],
    ['#İSTANBUL #istanbul #Istanbul', 'istanbul'],
    ['#ΟΔΟΣ #οδος #Οδοσ #ὁδός', 'οδοσ'],
    ['#ﬁne #FINE', 'fine'],
    ['#café #CAFÉ #cafe\u0301 #cafe', 'cafe'],
    ['#ｶﾞﾑ #ガム', 'ガム'],
    ['#각 #각', '각'],
    ['#نرم‌افزار #نرمافزار', 'نرمافزار'],
    ['#col·lecció #COL·LECCIÓ', 'col·leccio'],
  ])('%s are one', (text, key) => {
    expect(tagKeysIn(text)).toEqual([key])
  })

  test.each(['#가 #까', '#ガム #カム', '#а #a', '#ㅋㅋ #크크'])('%s are two', (text) => {
    expect(tagKeysIn(text)).toHaveLength(2)
  })

  test('have keys that fit their table', () => {
    expect([...tagKey('\ufdfa'.repeat(100))]).toHaveLength(100)
    expect(tagKey(tagKey('STRASSE_é'))).toBe(tagKey('STRASSE_é'))
  })
})

describe('links', () => {
  test.each([
    ['https://ex.com', ['https://ex.com']],
    [
      'see https://ex.com/a, http://ex.com/b. (https://ex.com/c)',
      ['https://ex.com/a', 'http://ex.com/b', 'https://ex.com/c'],
    ],
    [
      'https://ex.com에서 https://ex.com/a에서 https://ex.com/a?b=1을',
      ['https://ex.com', 'https://ex.com/a', 'https://ex.com/a?b=1'],
    ],
    ['보기https://ex.com', ['https://ex.com']],
    ['https://ex.comで https://ex.com/を', ['https://ex.com', 'https://ex.com/を']],
    [
      'https://ko.wikipedia.org/wiki/서울 https://ex.com/태그?말=가#나',
      ['https://ko.wikipedia.org/wiki/서울', 'https://ex.com/태그?말=가#나'],
    ],
    [
      'https://en.wikipedia.org/wiki/Foo_(bar) https://ex.com/(a',
      ['https://en.wikipedia.org/wiki/Foo_(bar)', 'https://ex.com/(a'],
    ],
    [
      '「https://ex.com/a」 “https://ex.com” <https://ex.com/b> https://ex.com/a。',
      ['https://ex.com/a', 'https://ex.com', 'https://ex.com/b', 'https://ex.com/a'],
    ],
    [
      '**https://ex.com/a** https://ex.com/! https://ex.com?',
      ['https://ex.com/a', 'https://ex.com/', 'https://ex.com'],
    ],
    [
      'https://서울.한국/길 https://café.example/é https://a한국.kr/',
      ['https://서울.한국/길', 'https://café.example/é', 'https://a한국.kr/'],
    ],
    [
      'http://localhost:8000/x http://127.0.0.1:80 http://[::1]/a',
      ['http://localhost:8000/x', 'http://127.0.0.1:80', 'http://[::1]/a'],
    ],
    [
      'https://ex.com/?u=@jos&t=#tag https://ex.com/@ada#part',
      ['https://ex.com/?u=@jos&t=#tag', 'https://ex.com/@ada#part'],
    ],
    ['www.ex.com/a. 보기www.ex.com', ['www.ex.com/a', 'www.ex.com']],
    [
      'HTTPS://EX.com/A https://ex.com/a👍 https://ex.com/a\u200fb',
      ['HTTPS://EX.com/A', 'https://ex.com/a', 'https://ex.com/a'],
    ],
  ] as const)('%s', (text, expected) => {
    expect(covered(text, 'link')).toEqual([...expected])
  })

  test.each([
    ...[
      'ex.com',
      'node.js',
      'end.Next',
      'ex.com/a',
      'a@www.ex.com',
      'www.',
      'www.ex',
      'www. ex.com',
    ],
    ...[
      'https://',
      'https:// ex.com',
      'http://a b',
      'https://ex',
      'https://.com',
      'https://ex..com',
    ],
    ...['javascript://ex.com/%0aalert(1)', 'ftp://ex.com', 'xhttps://ex.com', 'mailto:a@ex.com'],
    ...[
      'https://bank.example@evil.example/',
      'https://a:b@ex.com',
      `https://${'a'.repeat(300)}.com`,
    ],
    ...['https://1.2.3.4.5', 'https://ex.com:99999/'],
  ])('%s holds none', (text) => {
    expect(covered(text, 'link')).toEqual([])
  })

  test('have a scheme, which `www.` lacks', () => {
    const urls = findEntities('www.ex.com http://ex.com/a.').map(
      (each) => 'url' in each && each.url,
    )
    expect(urls).toEqual(['https://www.ex.com', 'http://ex.com/a'])
  })
})

const PIECES = [
  ...[
    '@',
    '#',
    '＃',
    '＠',
    'ada',
    'jos',
    '말',
    'é',
    '👋',
    ' ',
    '_',
    '1',
    '/',
    '.',
    ':',
    '-',
    '?',
    '=',
  ],
  ...[
    '\u0301',
    '\u200c',
    '\u200d',
    '\ufe0f',
    '\u20e3',
    '\u200b',
    '·',
    '(',
    ')',
    '&',
    '\n',
    '\ud83d',
  ],
  ...['https://', 'www.', 'ex.com', '에서', '。', '[', ']'],
]

test('places are in order, apart and inside the text, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      const points = [...text]
      let last = 0
      for (const entity of findEntities(text)) {
        expect(entity.start).toBeGreaterThanOrEqual(last)
        expect(entity.end).toBeGreaterThan(entity.start)
        const cut = points.slice(entity.start, entity.end).join('')
        if (entity.type === 'mention') expect(cut).toBe(`@${entity.username}`)
        if (entity.type === 'hashtag') expect(cut).toMatch(/^[#＃﹟]/)
        if (entity.type === 'hashtag') expect(cut.slice(1)).toBe(entity.tag)
        if (entity.type === 'link') expect([cut, `https://${cut}`]).toContain(entity.url)
        if (entity.type === 'link') expect(new URL(entity.url).protocol).toMatch(/^https?:$/)
        if (entity.type === 'link') expect(new URL(entity.url).username).toBe('')
        last = entity.end
      }
      expect(last).toBeLessThanOrEqual(points.length)
    }),
  )
})

test('what stands between spaces is found whatever stands elsewhere', () => {
  const piece = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((all) => all.join(''))
  fc.assert(
    fc.property(piece, piece, (before, after) => {
      const alone = [before, after].map((each) => findEntities(each).length)
      const together = findEntities(`${before} ${after}`)
      expect(together).toHaveLength((alone[0] ?? 0) + (alone[1] ?? 0))
    }),
  )
})

/** Counts the steps of a walk by how much longer one twice as long takes; no clock is read. */
test.each([
  ...[
    '@a',
    ' @ada',
    '@ab-',
    '@ada:x',
    'a.',
    'a.b',
    'www.',
    'http://',
    'https://a.',
    '#x·',
    '#',
    '##',
  ],
  ...[
    '\u200b@ab',
    '\u200d',
    '@ab\u200d',
    '\u0301',
    '#\u0301',
    '-',
    '@ab--',
    '가.',
    'https://x.y/가',
    '(',
  ],
  ...[
    'https://a.b/(',
    'https://a.b/)',
    'x://',
    'a-',
    '#가',
    '1️⃣',
    ':1',
    'https://a:',
    '\ufe0f\u20e3',
  ],
])('a text of nothing but %j holds at most fifty', (piece) => {
  const text = piece.repeat(64_000 / piece.length)
  expect(findEntities(text).length).toBeLessThanOrEqual(50)
})
