import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { gzipSync } from 'bun'
import { createBrokenLines, readEdges, readLines, readPosts } from './input-files'
import { createRoster } from './roster'
import { createThreads } from './threads'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-import-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('lines', () => {
  test('are the same plain and gzipped, for any end of the file', async () => {
    const text = `${'가나다 🙂 '.repeat(60_000)}\r\nb\n\nc`
    const plain = await Array.fromAsync(readLines(file('a.txt', text)))
    const zipped = await Array.fromAsync(readLines(file('a.txt.gz', gzipSync(text))))
    expect(plain).toEqual(zipped)
    expect(plain.slice(1)).toEqual(['b', '', 'c'])
  })

  test('a missing file and a cut archive are named', async () => {
    await expect(Array.fromAsync(readLines(join(folder, 'none')))).rejects.toThrow(OperatorError)
    const cut = file('cut.gz', gzipSync(crypto.randomUUID().repeat(1000)).slice(0, 80))
    await expect(Array.fromAsync(readLines(cut))).rejects.toThrow(
      /cut\.gz cannot be read to its end/,
    )
  })
})

test('edges: broken lines are counted and shown, the rest comes', async () => {
  const broken = createBrokenLines()
  const path = file('g', '# made by hand\n0\t1\n1\t1\nx\t2\n2\t0\textra\n\n5\t0\n1 2\n7\t')
  const edges = await Array.fromAsync(
    readEdges(path, { roster: createRoster(), limitUsers: 5, broken }),
  )
  expect(edges.map((e) => [e.follower, e.followee])).toEqual([
    [0, 1],
    [1, 2],
  ])
  expect(broken.count).toBe(4)
  expect(broken.examples).toHaveLength(3)
  expect(broken.examples[0]).toContain(`${path}:3: user 1 cannot follow itself`)
})

test('posts: broken lines are counted and shown, the rest comes', async () => {
  const broken = createBrokenLines()
  const path = file(
    'p.jsonl',
    '{"text":"하나"}\n{"text":\n{"txt":"x"}\n{"text":7}\n{"text":" "}\n{"text":"\\ud800"}\n{"text":"둘 🙂","src":"x"}\n',
  )
  const posts = await Array.fromAsync(
    readPosts(path, { roster: createRoster(), threads: createThreads(), broken }),
  )
  expect(posts).toEqual(
    ['하나', '둘 🙂'].map((text) => ({
      text,
      author: null,
      createdAt: null,
      id: null,
      root: null,
      replyTo: null,
    })),
  )
  expect(broken.count).toBe(5)
})
