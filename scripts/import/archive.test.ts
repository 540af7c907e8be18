import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqlBulkLoader } from '@sns/shared/adapters/sql/bulk-loader'
import { mentionedIn } from '@sns/shared/domain/entities'
import { signUpAll } from '@sns/shared/testing/people'
import { openTestStores } from '@sns/shared/testing/sql-database'
import { readArchive, readFollowing } from './archive'
import { importArchive } from './archive-importer'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-archive-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
const note = (content: string, published: string, more: object = {}) => ({
  type: 'Create',
  published,
  object: { type: 'Note', content, published, to: [PUBLIC], inReplyTo: null, ...more },
})

const OUTBOX = {
  '@context': 'https://www.w3.org/ns/activitystreams',
  type: 'OrderedCollection',
  orderedItems: [
    note('<p>later</p>', '2025-06-01T10:00:00Z'),
    note(
      '<p>Hello &amp; <a href="https://x/@ada" class="u-url mention">@<span>ada</span></a><br />second&nbsp;line &#128075; &lt;b&gt;</p><p>next</p>',
      '2019-03-04T05:06:07Z',
    ),
    note('<p>to a friend</p>', '2020-01-01T00:00:00Z', { to: ['https://x/users/friend'] }),
    note('<p>unlisted</p>', '2020-01-01T00:00:00Z', { to: ['https://x/followers'], cc: [PUBLIC] }),
    note('<p>an answer</p>', '2020-01-02T00:00:00Z', { inReplyTo: 'https://x/1' }),
    note('', '2020-01-03T00:00:00Z'),
    note(`<p>${'x'.repeat(2_001)}</p>`, '2020-01-04T00:00:00Z'),
    { type: 'Announce', published: '2020-01-05T00:00:00Z', object: 'https://x/2' },
  ],
}

const NOW = Date.UTC(2026, 10, 30)

/** The texts of an archive of Mastodon with these notes. */
async function textsOf(...notes: readonly object[]): Promise<readonly string[]> {
  const { posts } = await readArchive(file('some.json', { orderedItems: notes }), NOW)
  return posts.map(({ text }) => text)
}

describe('an archive', () => {
  test('of Mastodon gives its public posts, oldest first, as text', async () => {
    const { posts, left, asText } = await readArchive(file('outbox.json', OUTBOX), NOW)
    expect(posts).toEqual([
      {
        noteId: null,
        text: 'Hello & @ada@x\nsecond line 👋 <b>\n\nnext',
        createdAt: Date.UTC(2019, 2, 4, 5, 6, 7),
      },
      { noteId: null, text: 'later', createdAt: Date.UTC(2025, 5, 1, 10) },
    ])
    expect(left).toEqual({
      'not public': 2,
      replies: 1,
      boosts: 1,
      'without a text': 1,
      'too long': 1,
    })
    expect(asText).toEqual({})
  })

  test('of Misskey gives its public notes: home is what unlisted is elsewhere', async () => {
    const base = { createdAt: '2024-05-05T05:05:05.555Z', replyId: null, renoteId: null }
    const notes = [
      { ...base, id: 'a1', text: '공개', visibility: 'public' },
      { ...base, text: 'home', visibility: 'home' },
      { ...base, text: 'secret', visibility: 'followers' },
      { ...base, text: 'secret', visibility: 'specified' },
      { ...base, text: 'here', visibility: 'public', localOnly: true },
      { ...base, text: null, visibility: 'public', renoteId: 'x' },
      { ...base, text: 'a quote', visibility: 'public', renoteId: 'x' },
      { ...base, text: 're', visibility: 'public', replyId: 'x' },
      { ...base, text: null, visibility: 'public', fileIds: ['1', '2'] },
      {
        ...base,
        text: 'which',
        visibility: 'public',
        poll: { choices: [{ text: 'A' }, { text: 'B' }] },
      },
      { ...base, text: 'the end', cw: 'Spoiler', visibility: 'public', fileIds: ['3'] },
    ]
    const { posts, left, asText } = await readArchive(file('notes.json', notes), NOW)
    expect(posts.map(({ text }) => text)).toEqual([
      '공개',
      'a quote',
      'which\n\n- A\n- B',
      'Spoiler\n\nthe end',
    ])
    expect(posts[0]?.noteId).toBe('a1')
    expect(left).toEqual({
      'not public': 4,
      boosts: 1,
      'quoted posts': 1,
      replies: 1,
      'without a text': 1,
      media: 3,
    })
    expect(asText).toEqual({ polls: 1, 'content warnings': 1 })
  })

  test('says the true reason for each post that stays behind', async () => {
    const time = '2025-01-01T00:00:00Z'
    const { posts, left } = await readArchive(
      file('reasons.json', {
        orderedItems: [
          note('<p>tomorrow, somewhere</p>', '2026-11-30T20:00:00Z'),
          note('<p>2099</p>', '2099-01-01T00:00:00Z'),
          note('<p>2030</p>', '2030-01-01T00:00:00Z'),
          note('<p>1969</p>', '1969-01-01T00:00:00Z'),
          note('<p>no time</p>', 'yesterday'),
          note('<p>no time</p>', '5'),
          note('<p>a\u0007</p>', time),
          note('<p>\u3164\u2800</p>', time),
          note(`<p>a${'\u0316'.repeat(31)}</p>`, time),
          note('<p>\ud83d</p>', time),
          note('<p></p>'.repeat(20_000), time),
          note('<p>unlisted</p>', time, { to: ['https://x/users/me/followers'], cc: [PUBLIC] }),
        ],
      }),
      NOW,
    )
    expect(posts.map(({ text }) => text)).toEqual(['tomorrow, somewhere'])
    expect(left).toEqual({
      'from after tomorrow': 2,
      'from before 1970': 1,
      'without a time': 2,
      'with control characters': 1,
      'without a text': 1,
      'with too many combining marks in a row': 1,
      'of broken Unicode': 1,
      'too long': 1,
      'not public': 1,
    })
  })

  test('keeps warnings, choices and targets of links as text, and counts media', async () => {
    const path = file('parts.json', {
      orderedItems: [
        note('<p>see <a href="https://ex.com/a">this</a></p>', '2025-01-01T00:00:00Z', {
          id: 'https://x/1',
          summary: 'Politics',
          attachment: [{ type: 'Document' }, { type: 'Document' }],
        }),
        note('<p>Which?</p>', '2025-01-02T00:00:00Z', {
          type: 'Question',
          oneOf: [{ name: 'A & B' }, { name: 'C' }],
        }),
      ],
    })
    const { posts, left, asText } = await readArchive(path, NOW)
    expect(posts.map(({ noteId, text }) => [noteId, text])).toEqual([
      ['https://x/1', 'Politics\n\nsee this (https://ex.com/a)'],
      [null, 'Which?\n\n- A & B\n- C'],
    ])
    expect(left).toEqual({ media: 2 })
    expect(asText).toEqual({ 'link targets': 1, 'content warnings': 1, polls: 1 })
  })

  test('names nobody of here: who is mentioned is of another server', async () => {
    const time = '2025-01-01T00:00:00Z'
    const mention = (href: string, name: string) =>
      `<span class="h-card"><a href="${href}" class="u-url mention">@<span>${name}</span></a></span>`
    const tag = { type: 'Mention', href: 'https://o.example/@ada', name: '@ada@other.example' }
    const texts = await textsOf(
      note(`<p>${mention('https://o.example/@ada', 'ada')} hi</p>`, time, { tag: [tag] }),
      note(`<p>${mention('https://o.example/@ada', 'ada')} hi</p>`, time, { tag }),
      note(`<p>${mention('https://x.example/@ada', 'ada')}님</p>`, time),
      note(`<p>${mention('https://x.example/@ada', 'ada@y.example')}</p>`, time),
      note('<p>(@ada) and @Bob, me@ada.example</p>', time),
    )
    expect(texts).toEqual([
      '@ada@other.example hi',
      '@ada@other.example hi',
      '@ada@x.example님',
      '@ada@y.example',
      '(@\u2060ada) and @\u2060Bob, me@ada.example',
    ])
    const notes = [{ text: '@ada 안녕 @ada@m.example', createdAt: time, visibility: 'public' }]
    const { posts } = await readArchive(file('mentions.json', notes), NOW)
    for (const text of [...texts, ...posts.map((each) => each.text)]) {
      expect(mentionedIn(text)).toEqual([])
    }
  })

  test('that is none says so', async () => {
    await expect(readArchive(file('a.json', '{'), NOW)).rejects.toThrow('cannot be read as JSON')
    await expect(readArchive(file('b.json', { posts: [] }), NOW)).rejects.toThrow('is neither')
    await expect(readArchive(join(folder, 'none'), NOW)).rejects.toThrow('none')
  })

  test('of people followed gives their names', async () => {
    const csv =
      'Account address,Show boosts\nada@x.example,true\n"bob@y.example",false\n@cat@z\nnonsense\n'
    expect(await readFollowing(file('following.csv', csv))).toEqual(['ada', 'bob', 'cat'])
  })
})

test('goes into an account with its times, once, and follows who is here', async () => {
  await using stores = await openTestStores('sqlite')
  const { users, graph, posts, database, clock } = stores
  const [me, ann, eve] = await signUpAll(users, 'me', 'ann', 'eve')
  await graph.block(eve.id, me.id)
  const loader = createSqlBulkLoader(database.db, { clock })
  const csv = `Account address\n${ann.username}@x\n${eve.username}@x\n${me.username}@x\nnobody_here@x\n`
  const files = {
    archive: file('mine.json', OUTBOX),
    into: me.username.toUpperCase(),
    following: file('mine.csv', csv),
  }
  const options = { now: NOW, signal: new AbortController().signal, onProgress() {} }
  const run = () => importArchive(files, { loader, users, graph }, options)

  expect(await run()).toMatchObject({ finished: true, posts: 2, followed: 1, notHere: 3 })
  const page = { before: null, limit: 10 }
  const seen = await posts.byAuthor(me.id, me.id, page)
  expect(seen.items.map(({ body }) => [body.text.slice(0, 5), body.createdAt])).toEqual([
    ['later', Date.UTC(2025, 5, 1, 10)],
    ['Hello', Date.UTC(2019, 2, 4, 5, 6, 7)],
  ])
  expect(await run()).toMatchObject({ posts: 0, known: 2, followed: 1 })
  expect((await posts.byAuthor(me.id, me.id, page)).items).toHaveLength(2)

  // A later archive holds the earlier posts once more.
  const later = { orderedItems: [...OUTBOX.orderedItems, note('new', '2025-07-01T10:00:00Z')] }
  const summary = await importArchive(
    { ...files, archive: file('later.json', later) },
    { loader, users, graph },
    options,
  )
  expect(summary).toMatchObject({ posts: 1, known: 2 })
  expect((await posts.byAuthor(me.id, me.id, page)).items).toHaveLength(3)

  // The same archive in another account is another import; its ids do not meet.
  const other = { ...files, into: ann.username, following: null }
  expect(await importArchive(other, { loader, users, graph }, options)).toMatchObject({ posts: 2 })
  const nobody = importArchive(
    { ...other, into: 'nobody_at_all' },
    { loader, users, graph },
    options,
  )
  await expect(nobody).rejects.toThrow('there is no account nobody_at_all')
})
