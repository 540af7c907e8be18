import { expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@sns/api/client'
import { eventually } from '@sns/shared/testing/eventually'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { wholeFeedPosts } from '../paging'

const ACCOUNT = { username: 'author', password: 'correct horse' }

test('a suite whose disk fails acknowledges nothing more, says so and ends; the next one has the rest', async () => {
  await using folder = await temporaryFolder()
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  const environment = { DATABASE_URL: `sqlite:${join(folder.path, 'sns.db')}`, WEB_PORT: `${port}` }
  const broken = join(folder.path, 'broken')
  const preload = join(folder.path, 'preload.ts')
  await writeFile(preload, failingDisk(broken))
  const acknowledged: string[] = []

  {
    await using program = spawnProgram('start', [], {
      ...environment,
      BUN_OPTIONS: `--preload=${preload}`,
    })
    await program.ready(url)
    const { data: session } = await createClient(url).v1.auth.signup.post(ACCOUNT)
    const client = createClient(url, { token: session!.accessToken })
    const post = (n: number) => client.v1.posts.post({ text: `post ${n}` })
    for (let n = 1; n <= 20; n++) acknowledged.push((await post(n)).data!.id)
    await writeFile(broken, '')
    const answers = await Promise.allSettled([21, 22, 23].map(post))
    for (const answer of answers) {
      // Requests after the process had ended were not answered.
      if (answer.status === 'fulfilled') expect(answer.value.status).toBe(503)
    }
    expect(answers[0]?.status).toBe('fulfilled')
    expect(await program.exited).toBe(1)
    expect(program.output()).toContain('a job failed; stopping')
    const line = program
      .output()
      .split('\n')
      .findLast((each) => each.startsWith('sns: '))
    expect(line).toBe(
      `sns: ${join(folder.path, 'sns.db-wal')} cannot be flushed to disk (EIO: i/o error, fdatasync): nothing more is written, and the process stops; check the disk, then start it again`,
    )
  }

  await using program = spawnProgram('start', [], environment)
  await program.ready(url)
  const { data } = await createClient(url).v1.auth.login.post(ACCOUNT)
  const client = createClient(url, { token: data!.accessToken })
  const feed = (await wholeFeedPosts(client)).map(({ id }) => id)
  expect(new Set(feed).isSupersetOf(new Set(acknowledged))).toBe(true)
  const { data: created } = await client.v1.posts.post({ text: 'again' })
  await eventually(
    async () => (await client.v1.feed.get({ query: {} })).data?.items[0]?.id === created!.id,
  )
})

/** Loaded before the program: once the file is there, no flush succeeds but every second one. */
function failingDisk(file: string): string {
  return `
    import { existsSync } from 'node:fs'
    import { open } from 'node:fs/promises'
    const handle = await open(${JSON.stringify(import.meta.path)})
    const { prototype } = handle.constructor
    await handle.close()
    const { datasync } = prototype
    let flushes = 0
    prototype.datasync = async function () {
      if (existsSync(${JSON.stringify(file)}) && flushes++ % 2 === 0) {
        throw new Error('EIO: i/o error, fdatasync')
      }
      return datasync.call(this)
    }`
}
