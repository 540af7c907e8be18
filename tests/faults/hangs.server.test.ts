import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { STACK_SERVERS, type StackServer, stack } from '@sns/shared/testing/stack'
import type { SuiteProcess } from '../../scripts/process/suite-process'
import { liveThroughTheMainJob, type Person, signUp } from '../journey'
import { wholeFeed } from '../paging'
import { type ServerSuite, startServerSuite } from '../server-suite'
import { expectNoDrift, expectNothingLost } from './nothing-lost'

if (hasAllTestServers && !stack) {
  console.log('SKIPPED: hangs need servers that may be paused: ../shared/stack/stack')
}

/** Longer than any time-out or heartbeat that answers a request; the port stays open all the while. */
const HANG_MS = 9_000

describe.skipIf(!hasAllTestServers || !stack)('a server that hangs in the middle of writes', () => {
  let running: ServerSuite
  let suite: SuiteProcess
  let reader: Person
  let windowReads = 0

  beforeAll(async () => {
    running = await startServerSuite()
    suite = running.suite
    reader = await signUp(suite.url, 'reader')
  })
  afterAll(() => running?.[Symbol.asyncDispose]())

  /** How many feed pages came from a window since this was last asked. */
  async function readsFromWindows(): Promise<number> {
    const text = await (await fetch(`${suite.statusUrl('api')}/metrics`)).text()
    const now = Number(/^sns_feed_reads_total{source="window"} (\d+)/m.exec(text)?.[1] ?? 0)
    const since = now - windowReads
    windowReads = now
    return since
  }

  async function whileHanging(server: StackServer, act: () => Promise<void>): Promise<void> {
    await stack!.pause(server)
    try {
      const [result] = await Promise.allSettled([act(), Bun.sleep(HANG_MS)])
      if (result.status === 'rejected') throw result.reason
    } finally {
      await stack!.resume(server)
    }
  }

  test.each([...STACK_SERVERS])(
    '%s: nothing is lost, no reader sees a wrong feed',
    async (server) => {
      await expectNothingLost(suite.url, reader, async ({ underway, reads }) => {
        const answered = reads.answered
        await whileHanging(server, async () => {
          // Without MySQL no write can be acknowledged; without another store writes continue.
          if (server !== 'mysql') await underway()
        })
        if (server === 'mysql') return
        expect(reads.refused).toBe(0)
        expect(reads.answered).toBeGreaterThan(answered)
      })
      for (const name of suite.names) await suite.program(name).ready(suite.statusUrl(name))
      await liveThroughTheMainJob(suite.url)
    },
  )

  test('redis: what one does oneself shows on the next read, during and right after', async () => {
    const viewer = await signUp(suite.url, 'viewer')
    const authors = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => signUp(suite.url, `author${n}`)),
    )
    const follow = (author: Person) =>
      viewer.client.v1.users({ username: author.username }).follow.put()
    /** Ids a reader of the truth expects. */
    let truth: string[] = []
    const expectTruth = async () => {
      expect(await wholeFeed(viewer.client)).toEqual(truth)
    }
    const post = async (person: Person) => {
      const { data } = await person.client.v1.posts.post({ text: 'seen at once' })
      return data!.id
    }
    const without = (id: string) => truth.filter((other) => other !== id)
    const postOf = new Map<Person, string>()
    for (const author of authors) {
      expect((await follow(author)).status).toBe(204)
      postOf.set(author, await post(author))
      truth = [postOf.get(author)!, ...truth]
    }
    await expectTruth()

    async function actOnce([removed, left, blocked]: readonly Person[]): Promise<void> {
      truth = [await post(viewer), ...truth]
      await expectTruth()
      await removed!.client.v1.posts({ id: postOf.get(removed!)! }).delete()
      truth = without(postOf.get(removed!)!)
      await expectTruth()
      await viewer.client.v1.users({ username: left!.username }).follow.delete()
      truth = without(postOf.get(left!)!)
      await expectTruth()
      await viewer.client.v1.users({ username: blocked!.username }).block.put()
      truth = without(postOf.get(blocked!)!)
      await expectTruth()
      await follow(left!)
      truth = [...truth, postOf.get(left!)!].sort((a, b) => Number(b) - Number(a))
      await expectTruth()
      truth = [await post(viewer), ...truth]
      await expectTruth()
    }
    await whileHanging('redis', () => actOnce(authors.slice(0, 3)))
    // No wait here: the first read may find the window from before the hang.
    await expectTruth()
    await actOnce(authors.slice(3))
  })

  test('redis: one’s own posts from the time of the hang are there when its windows are', async () => {
    const author = await signUp(suite.url, 'author')
    let truth: string[] = []
    const post = async () => {
      const { data } = await author.client.v1.posts.post({ text: 'seen at once' })
      truth = [data!.id, ...truth]
      expect(await wholeFeed(author.client)).toEqual(truth)
    }
    await post()
    // Fan-out would bring them too, sooner or later.
    await suite.program('fanout-worker').crash()
    await whileHanging('redis', async () => {
      // What timed out waits in the socket and may still be done; what came later was never sent.
      for (let n = 0; n < 3; n++) await post()
    })
    await readsFromWindows()
    do expect(await wholeFeed(author.client)).toEqual(truth)
    while ((await readsFromWindows()) === 0)
    await suite.restart('fanout-worker')
  })

  test('and the index holds what the tables say', () => expectNoDrift(running.names))
})
