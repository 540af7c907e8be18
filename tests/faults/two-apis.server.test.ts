import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createClient } from '@sns/api/client'
import { redisServerBinary, startRedisServer } from '@sns/shared/testing/redis-server'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers, testServers } from '@sns/shared/testing/servers'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import { type ApiProcess, startApiProcess } from '../api-process'
import { signUp } from '../journey'
import { createMigratedNames } from '../server-suite'

if (hasAllTestServers && !redisServerBinary) {
  console.log('SKIPPED: no redis-server here to promote and restart beneath two apis')
}

/** Of which each answered edit must be seen: enough to meet every state of lease and fence. */
const ROUNDS = 4

describe.skipIf(!hasAllTestServers)('two api processes', () => {
  let names: ServerNames
  beforeAll(async () => {
    names = await createMigratedNames()
  })
  afterAll(() => names?.[Symbol.asyncDispose]())

  const startApi = (redisUrl: string, prefix: string) =>
    startApiProcess({ ...names.env, KEY_PREFIX: prefix, REDIS_URL: redisUrl })
  type Api = ApiProcess

  /** A post by one person in the feed of another; `edit` at one api must show at another at once. */
  async function openStory({ url }: Api) {
    const [writer, reader] = await Promise.all([signUp(url, 'writer'), signUp(url, 'reader')])
    await reader.client.v1.users({ username: writer.username }).follow.put()
    const { data } = await writer.client.v1.posts.post({ text: 'first' })
    const id = data!.id
    let edits = 0
    let seen = 0
    const feedAt = async ({ url }: Api) => {
      const answer = await createClient(url, { token: reader.token }).v1.feed.get()
      return answer.data?.items.map(({ text }) => text)
    }
    return {
      /** False where the edit was not answered as done: nothing is promised of it then. */
      async edit(at: Api, ...readers: readonly Api[]): Promise<boolean> {
        edits += 1
        const text = `edit ${edits}`
        const posts = createClient(at.url, { token: writer.token }).v1.posts
        const { status } = await posts({ id }).patch({ text })
        if (status !== 200) return false
        for (const each of readers) expect(await feedAt(each)).toEqual([text])
        seen += 1
        return true
      },
      /** Makes the api keep the post in memory before it changes. */
      feedAt,
      get seen() {
        return seen
      },
    }
  }

  const untilBoth = (apis: readonly Api[]) => Promise.all(apis.map((api) => api.untilBelieving()))

  test('an edit that one without Redis answers is seen by the other at once', async () => {
    await using proxy = await createTcpProxy(testServers.redis!)
    await using near = await startApi(testServers.redis!, names.database)
    await using far = await startApi(proxy.url, names.database)
    const story = await openStory(near)
    for (let round = 0; round < ROUNDS; round += 1) {
      await untilBoth([near, far])
      await Promise.all([story.feedAt(near), story.feedAt(far)])
      // Connections end at once, or stay open and silent.
      if (round % 2 === 0) await proxy.cut()
      else proxy.stall()
      expect(await story.edit(far, near, far)).toBe(true)
      expect(await story.edit(far, near, far)).toBe(true)
      expect(await story.edit(near, far, near)).toBe(true)
      await proxy.resume()
      expect(await story.edit(near, far, near)).toBe(true)
    }
    await untilBoth([near, far])
    expect(await story.edit(far, near, far)).toBe(true)
    expect(story.seen).toBe(ROUNDS * 4 + 1)
  }, 180_000)

  test.skipIf(!redisServerBinary)(
    'an edit is seen by both while Redis restarts, fails over and fails back',
    async () => {
      await using one = await startRedisServer()
      await using other = await startRedisServer()
      await other.replicaOf(one)
      // Each process learns of a fail-over in its own time.
      await using route = await createTcpProxy(one.url)
      await using detour = await createTcpProxy(one.url)
      const prefix = `${names.database}-own`
      await using first = await startApi(route.url, prefix)
      await using second = await startApi(detour.url, prefix)
      const story = await openStory(first)
      const editAtBoth = async () => {
        for (let turn = 0; turn < 3; turn += 1) {
          await story.edit(first, second, first)
          await story.edit(second, first, second)
        }
      }
      const reconnect = async (proxy: typeof route) => {
        await proxy.cut()
        await proxy.resume()
      }
      let [primary, replica] = [one, other]
      for (let round = 0; round < ROUNDS; round += 1) {
        await untilBoth([first, second])
        await Promise.all([story.feedAt(first), story.feedAt(second)])
        if (round % 2 === 0) {
          await primary.kill()
          await editAtBoth()
          await primary.start()
          await replica.replicaOf(primary)
          await editAtBoth()
          continue
        }
        await replica.replicaOf(null)
        route.leadTo(replica.url)
        await reconnect(route)
        await editAtBoth()
        await primary.replicaOf(replica)
        await editAtBoth()
        detour.leadTo(replica.url)
        await reconnect(detour)
        ;[primary, replica] = [replica, primary]
        await editAtBoth()
      }
      await untilBoth([first, second])
      const before = story.seen
      await editAtBoth()
      expect(story.seen - before).toBe(6)
      // The test proves something only if most edits were answered.
      expect(story.seen).toBeGreaterThan(ROUNDS * 6)
    },
    300_000,
  )
})
