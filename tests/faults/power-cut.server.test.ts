import { dlopen, FFIType, ptr } from 'bun:ffi'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readKafkaRecords } from '@sns/cdc-indexer/capture/testing/kafka-records'
import { topicName } from '@sns/shared/events/tables'
import { eventually } from '@sns/shared/testing/eventually'
import { testKafkaClient } from '@sns/shared/testing/kafka-log'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { kafkaFolder, stack } from '@sns/shared/testing/stack'
import { type Person, signUp } from '../journey'
import { type ServerSuite, startServerSuite } from '../server-suite'

/** `cachestat(2)`, since Linux 6.5: how much of a file is in memory, and how much of that on no disk yet. */
const CACHESTAT = 451

function openCachestat() {
  if (process.platform !== 'linux') return null
  const { symbols } = dlopen('libc.so.6', {
    syscall: {
      args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.ptr, FFIType.i64],
      returns: FFIType.i64,
    },
  })
  /** Pages of a file that a power cut would take; null where the kernel does not tell. */
  return (path: string): number | null => {
    const file = openSync(path, 'r')
    try {
      const whole = new BigUint64Array(2)
      const found = new BigUint64Array(5)
      if (symbols.syscall(CACHESTAT, file, ptr(whole), ptr(found), 0) !== 0n) return null
      const [, dirty = 0n, beingWritten = 0n] = found
      return Number(dirty + beingWritten)
    } finally {
      closeSync(file)
    }
  }
}

const pagesAtRisk = openCachestat()
const canTell = typeof pagesAtRisk?.(process.execPath) === 'number'
if (hasAllTestServers && !(stack && canTell)) {
  console.log('SKIPPED: what a power cut takes needs Linux 6.5 and ../shared/stack/stack')
}

describe.skipIf(!hasAllTestServers || !stack || !canTell)('a power cut at a lone broker', () => {
  let running: ServerSuite
  let writer: Person
  let topic: string
  beforeAll(async () => {
    running = await startServerSuite()
    const { database } = running.names
    topic = topicName({ prefix: database, database }, 'posts')
    writer = await signUp(running.suite.url, 'writer')
  })
  afterAll(() => running?.[Symbol.asyncDispose]())

  async function publishedIds(): Promise<ReadonlySet<string>> {
    const records = await readKafkaRecords(testKafkaClient(), [topic])
    return new Set(records.map(({ key }) => String(JSON.parse(key).id)))
  }

  test('takes nothing of what was acknowledged: it is on the disk', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { data } = await writer.client.v1.posts.post({ text: `post ${round}` })
      await eventually(async () => (await publishedIds()).has(data?.id ?? ''))
      const segments = readdirSync(kafkaFolder)
        .filter((folder) => folder.startsWith(`${topic}-`))
        .flatMap((folder) =>
          readdirSync(join(kafkaFolder, folder))
            .filter((file) => file.endsWith('.log'))
            .map((file) => join(kafkaFolder, folder, file)),
        )
      expect(segments.length).toBeGreaterThan(0)
      expect(segments.map((path) => pagesAtRisk?.(path))).toEqual(segments.map(() => 0))
    }
  }, 120_000)
})
