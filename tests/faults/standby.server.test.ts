import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { insertPosts } from '@sns/cdc-indexer/capture/testing/binlog-fixture'
import { readKafkaRecords } from '@sns/cdc-indexer/capture/testing/kafka-records'
import { topicName } from '@sns/shared/events/tables'
import { eventually } from '@sns/shared/testing/eventually'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import type { ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { createMigratedNames, startWorker } from '../server-suite'

const POSTS = [1, 2, 3, 4, 5]
const WITHIN = { timeoutMs: 60_000 }

describe.skipIf(!hasAllTestServers)('a second cdc-indexer stands by', () => {
  let names: ServerNames
  let mysql: MysqlSession
  beforeAll(async () => {
    names = await createMigratedNames()
    mysql = createMysqlSession(names.mysql)
  })
  afterAll(async () => {
    await mysql?.[Symbol.asyncDispose]()
    await names?.[Symbol.asyncDispose]()
  })

  async function start() {
    const program = await startWorker(names, 'cdc-indexer')
    const { url } = program
    const isLeader = async () =>
      /^sns_capture_leader 1$/m.test(
        await fetch(`${url}/metrics`).then(
          (answer) => answer.text(),
          () => '',
        ),
      )
    return Object.assign(program, { isLeader })
  }
  type Indexer = Awaited<ReturnType<typeof start>>

  async function leaderOf(both: readonly [Indexer, Indexer]): Promise<readonly [Indexer, Indexer]> {
    return eventually(async () => {
      const [one, other] = both
      if (await one.isLeader()) return [one, other] as const
      return (await other.isLeader()) ? ([other, one] as const) : null
    }, WITHIN)
  }

  /** Edits the posts one after the other until stopped; returns how often each was. */
  function startEdits() {
    let isStopped = false
    let edits = 0
    const editing = (async () => {
      while (!isStopped) {
        edits += 1
        for (const id of POSTS) {
          await mysql.query(`UPDATE posts SET text = 'edit ${edits}' WHERE id = ${id}`)
        }
      }
    })()
    return {
      async stop() {
        isStopped = true
        await editing
        return edits
      },
    }
  }

  test.each([
    ['killed', 'SIGKILL'],
    ['frozen, and goes on later', 'SIGSTOP'],
  ] as const)(
    'and takes over from one that is %s: no edit is lost, none comes after a newer one for good',
    async (_, signal) => {
      await mysql.query('DELETE FROM posts')
      await mysql.query(insertPosts(POSTS))
      let both: readonly [Indexer, Indexer] = [await start(), await start()]
      const edits = startEdits()
      for (let round = 0; round < 3; round += 1) {
        const [leader, standby] = await leaderOf(both)
        process.kill(leader.pid, signal)
        await eventually(() => standby.isLeader(), WITHIN)
        await Bun.sleep(300)
        if (signal === 'SIGKILL') {
          await leader.exited
          both = [standby, await start()]
        } else {
          // It has batches in hand that the other has published since.
          process.kill(leader.pid, 'SIGCONT')
          await Bun.sleep(500)
        }
      }
      const count = await edits.stop()
      const topic = topicName({ prefix: names.database, database: names.database }, 'posts')
      const wanted = Array.from({ length: count }, (_unused, n) => `edit ${n + 1}`)
      await eventually(async () => {
        const records = await readKafkaRecords(testKafkaClient(), [topic])
        for (const id of POSTS) {
          const texts = records
            .filter(({ key, value }) => key === `{"id":${id}}` && value !== null)
            .map(({ value }): string => JSON.parse(value ?? '').after?.text ?? '')
          expect(texts.at(-1)).toBe(`edit ${count}`)
          expect(wanted.filter((text) => !texts.includes(text))).toEqual([])
        }
        return true
      }, WITHIN)
      for (const program of both) await program.crash()
    },
    240_000,
  )
})
