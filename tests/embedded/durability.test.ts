import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { wholeFeedPosts, wholeSearch } from '../paging'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-durability-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const WRITERS = 8
const POSTS_BEFORE_THE_CRASH = 60

test('a suite that is killed while it writes keeps every post it acknowledged', async () => {
  const start = embedded(join(folder, 'sns.db'))
  const author = { username: 'author', password: 'correct horse' }
  const reader = { username: 'reader', password: 'battery staple' }
  const acknowledged = new Map<string, string>()

  {
    await using program = await start()
    const asAuthor = await signUp(program.url, author)
    const asReader = await signUp(program.url, reader)
    await asReader.v1.users({ username: 'author' }).follow.put()
    await asReader.v1.feed.get({ query: {} })
    await writeUntilItDies(asAuthor, acknowledged, program)
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(POSTS_BEFORE_THE_CRASH)

  // Killed again before the pending work is done.
  await (await start())[Symbol.asyncDispose]()

  await using program = await start()
  const asReader = await logIn(program.url, reader)
  const feed = new Map((await wholeFeedPosts(asReader)).map(({ id, text }) => [id, text]))
  expect(new Set(feed.keys()).isSupersetOf(new Set(acknowledged.keys()))).toBe(true)
  for (const [id, text] of acknowledged) expect(feed.get(id)).toBe(text)
  expect([...feed.keys()]).toEqual([...feed.keys()].sort((a, b) => Number(b) - Number(a)))

  await eventually(async () => (await wholeSearch(asReader, 'durable')).length >= feed.size, {
    what: 'everything in the feed is found',
  })
  expect((await wholeSearch(asReader, 'durable')).sort()).toEqual([...feed.keys()].sort())

  expect(await program.stop()).toBe(0)
  using database = new Database(join(folder, 'sns.db'), { readonly: true })
  expect(database.query('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
})

test('a session outlives a crash, as its key is kept beside the database', async () => {
  const start = embedded(join(folder, 'sns.db'))
  const account = { username: 'somebody', password: 'correct horse' }
  let token: string
  {
    await using program = await start()
    const { data } = await createClient(program.url).v1.auth.signup.post(account)
    token = data!.accessToken
  }
  await using program = await start()
  const { data } = await createClient(program.url, { token }).v1.me.get()
  expect(data).toMatchObject({ username: 'somebody' })
})

type Running = ProgramProcess & { readonly url: string }

function embedded(path: string): () => Promise<Running> {
  return async () => {
    const port = freePort()
    const url = `http://127.0.0.1:${port}`
    const program = spawnProgram('start', [], {
      DATABASE_URL: `sqlite:${path}`,
      WEB_PORT: String(port),
      LOG_LEVEL: 'warn',
    })
    await program.ready(url)
    return Object.assign(program, { url })
  }
}

interface Credentials {
  readonly username: string
  readonly password: string
}

async function signUp(url: string, credentials: Credentials): Promise<Client> {
  const { data, error } = await createClient(url).v1.auth.signup.post(credentials)
  if (error) throw error
  return createClient(url, { token: data.accessToken })
}

async function logIn(url: string, credentials: Credentials): Promise<Client> {
  const { data, error } = await createClient(url).v1.auth.login.post(credentials)
  if (error) throw error
  return createClient(url, { token: data.accessToken })
}

/** Several writers at once, and a SIGKILL in the middle of what they do. */
async function writeUntilItDies(
  client: Client,
  acknowledged: Map<string, string>,
  program: Running,
): Promise<void> {
  let dead = false
  async function write(writer: number): Promise<void> {
    for (let n = 0; !dead; n++) {
      const text = `durable post ${n} of writer ${writer}`
      try {
        const { data } = await client.v1.posts.post({ text })
        if (data) acknowledged.set(data.id, text)
      } catch {
        return
      }
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
  await eventually(() => acknowledged.size >= POSTS_BEFORE_THE_CRASH)
  await program.crash()
  dead = true
  await Promise.all(writers)
}
