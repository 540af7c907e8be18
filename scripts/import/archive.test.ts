import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqlBulkLoader } from '@sns/shared/adapters/sql/bulk-loader'
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
      '<p>Hello &amp; <a href="https://x/@ada">@<span>ada</span></a><br />second&nbsp;line &#128075; &lt;b&gt;</p><p>next</p>',
      '2019-03-04T05:06:07Z',
    ),
    note('<p>to a friend</p>', '2020-01-01T00:00:00Z', { to: ['https://x/users/friend'] }),
    note('<p>an answer</p>', '2020-01-02T00:00:00Z', { inReplyTo: 'https://x/1' }),
    note('', '2020-01-03T00:00:00Z'),
    note(`<p>${'x'.repeat(2_001)}</p>`, '2020-01-04T00:00:00Z'),
    { type: 'Announce', published: '2020-01-05T00:00:00Z', object: 'https://x/2' },
  ],
}

describe('an archive', () => {
  test('of Mastodon gives its public posts, oldest first, as text', async () => {
    const { posts, left } = await readArchive(file('outbox.json', OUTBOX))
    expect(posts).toEqual([
      {
        text: 'Hello & @ada\nsecond line 👋 <b>\n\nnext',
        createdAt: Date.UTC(2019, 2, 4, 5, 6, 7),
      },
      { text: 'later', createdAt: Date.UTC(2025, 5, 1, 10) },
    ])
    expect(left).toEqual({
      'not public': 1,
      replies: 1,
      boosts: 1,
      'without a text': 1,
      'too long': 1,
    })
  })

  test('of Misskey gives its public and home notes', async () => {
    const base = { createdAt: '2024-05-05T05:05:05.555Z', replyId: null, renoteId: null }
    const notes = [
      { ...base, text: '공개', visibility: 'public' },
      { ...base, text: 'home', visibility: 'home' },
      { ...base, text: 'secret', visibility: 'followers' },
      { ...base, text: 'secret', visibility: 'specified' },
      { ...base, text: null, visibility: 'public', renoteId: 'x' },
      { ...base, text: 're', visibility: 'public', replyId: 'x' },
    ]
    const { posts, left } = await readArchive(file('notes.json', notes))
    expect(posts.map(({ text }) => text)).toEqual(['공개', 'home'])
    expect(left).toMatchObject({ 'not public': 2, boosts: 1, replies: 1 })
  })

  test('that is none says so', async () => {
    await expect(readArchive(file('a.json', '{'))).rejects.toThrow('cannot be read as JSON')
    await expect(readArchive(file('b.json', { posts: [] }))).rejects.toThrow('is neither')
    await expect(readArchive(join(folder, 'none'))).rejects.toThrow('none')
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
  const options = { signal: new AbortController().signal, onProgress() {} }
  const run = () => importArchive(files, { loader, users, graph }, options)

  expect(await run()).toMatchObject({ finished: true, posts: 2, followed: 1, notHere: 3 })
  const page = { before: null, limit: 10 }
  const seen = await posts.byAuthor(me.id, me.id, page)
  expect(seen.items.map(({ body }) => [body.text.slice(0, 5), body.createdAt])).toEqual([
    ['later', Date.UTC(2025, 5, 1, 10)],
    ['Hello', Date.UTC(2019, 2, 4, 5, 6, 7)],
  ])
  expect(await run()).toMatchObject({ posts: 0, followed: 1 })
  expect((await posts.byAuthor(me.id, me.id, page)).items).toHaveLength(2)

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
