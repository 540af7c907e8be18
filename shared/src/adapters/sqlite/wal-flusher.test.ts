import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError } from '../../errors/sns-error'
import { postIds, postRow } from '../../testing/post-rows'
import { temporaryFolder } from '../../testing/temporary-folder'
import { transact } from '../sql/database'
import { openSqliteDatabase, type SqliteDatabase } from './database'
import type { WalFile } from './wal-flusher'

describe('a commit is acknowledged', () => {
  test('after a flush that began when it was committed, and not before that flush ends', async () => {
    await using disk = await openOnFakeDisk()
    const written = disk.write(1)
    await disk.flushBegun()
    expect(disk.events).toEqual(['commit', 'flush begins'])
    disk.endFlush()
    await written
    expect(disk.events).toEqual(['commit', 'flush begins', 'flush ends', 'acknowledged 1'])
  })

  test('so also where it is a transaction', async () => {
    await using disk = await openOnFakeDisk()
    const written = transact(disk.database.db, async (tx) => {
      await tx.insertInto('posts').values(postRow(1)).execute()
      await tx.insertInto('posts').values(postRow(2)).execute()
    }).then(() => disk.events.push('acknowledged'))
    await disk.flushBegun()
    expect(disk.events).toEqual(['commit', 'flush begins'])
    disk.endFlush()
    await written
    expect(disk.events).toEqual(['commit', 'flush begins', 'flush ends', 'acknowledged'])
  })

  test('not by a flush that was under way: the next one is for all that came meanwhile', async () => {
    await using disk = await openOnFakeDisk()
    const first = disk.write(1)
    await disk.flushBegun()
    const meanwhile = [disk.write(2), disk.write(3)]
    await disk.committed(3)
    disk.endFlush()
    await first
    await disk.flushBegun()
    expect(disk.events.filter((event) => event.startsWith('ack'))).toEqual(['acknowledged 1'])
    disk.endFlush()
    await Promise.all(meanwhile)
    expect(disk.events).toEqual([
      'commit',
      'flush begins',
      'commit',
      'commit',
      'flush ends',
      expect.stringMatching(/^(acknowledged 1|flush begins)$/),
      expect.stringMatching(/^(acknowledged 1|flush begins)$/),
      'flush ends',
      'acknowledged 2',
      'acknowledged 3',
    ])
  })
})

describe('a flush that fails', () => {
  test('acknowledges nothing: not what it was for, not what waits for the next', async () => {
    await using disk = await openOnFakeDisk()
    const first = disk.write(1)
    await disk.flushBegun()
    const waiting = [disk.write(2), disk.write(3)]
    await disk.committed(3)
    disk.failFlush()
    for (const write of [first, ...waiting]) expect(await write).toBe('store_unavailable')
    expect(disk.events.filter((event) => event.startsWith('flush'))).toEqual([
      'flush begins',
      'flush fails',
    ])
  })

  test('is the last: nothing is written any more, and what was is still read', async () => {
    await using disk = await openOnFakeDisk()
    const { db, failure, health } = disk.database
    expect(failure.aborted).toBeFalse()
    await health.check()
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const failing = disk.write(1)
    await disk.flushBegun()
    const open = transact(db, async (tx) => {
      await tx.insertInto('posts').values(postRow(2)).execute()
      begun.resolve()
      await finish.promise
    }).catch((error) => error)
    await begun.promise
    const queued = disk.write(3)
    disk.failFlush()
    expect(await failing).toBe('store_unavailable')
    finish.resolve()
    expect(isSnsError(await open, 'store_unavailable')).toBeTrue()
    expect(await queued).toBe('store_unavailable')
    expect(await disk.write(4)).toBe('store_unavailable')
    const later = await transact(db, async () => {}).catch((error) => error)
    expect(isSnsError(later, 'store_unavailable')).toBeTrue()
    expect(await postIds(disk.database)).toEqual([1])
    expect(await health.check().catch((error) => error)).toBe(failure.reason)
    expect(disk.events).toEqual(['commit', 'flush begins', 'flush fails'])
  })

  test('says what is wrong and what to do', async () => {
    await using disk = await openOnFakeDisk()
    const failing = disk.write(1)
    await disk.flushBegun()
    disk.failFlush()
    await failing
    const { failure, path } = disk.database
    expect(failure.reason).toBeInstanceOf(OperatorError)
    expect(failure.reason.message).toBe(
      `${path}-wal cannot be flushed to disk (EIO: the disk is broken): nothing more is written, and the process stops; check the disk, then start it again`,
    )
  })
})

/** A database whose flushes begin, end and fail as the test says. */
async function openOnFakeDisk() {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const events: string[] = []
  let begun = Promise.withResolvers<PromiseWithResolvers<void>>()
  let isFake = false
  const file: WalFile = {
    async datasync() {
      if (!isFake) return
      events.push('flush begins')
      const flush = Promise.withResolvers<void>()
      begun.resolve(flush)
      await flush.promise
    },
    async close() {},
  }
  const database: SqliteDatabase = opened.use(
    await openSqliteDatabase({
      path: join(folder.path, 'sns.db'),
      wal: { openFile: async () => file },
    }),
  )
  isFake = true
  let commits = 0
  let onCommit = () => {}
  database.onCommit(() => {
    events.push('commit')
    commits++
    onCommit()
  })
  let current: PromiseWithResolvers<void> | null = null
  const resources = opened.move()
  return {
    database,
    events,
    /** What became of the write: what was acknowledged, or the error's code. */
    write: (id: number): Promise<unknown> =>
      database.db
        .insertInto('posts')
        .values(postRow(id))
        .execute()
        .then(
          () => events.push(`acknowledged ${id}`),
          (error) => error.code,
        ),
    async flushBegun() {
      current = await begun.promise
      begun = Promise.withResolvers()
    },
    endFlush() {
      events.push('flush ends')
      current!.resolve()
    },
    failFlush() {
      events.push('flush fails')
      current!.reject(new Error('EIO: the disk is broken'))
    },
    committed: (count: number) =>
      new Promise<void>((resolve) => {
        onCommit = () => commits >= count && resolve()
        onCommit()
      }),
    async [Symbol.asyncDispose]() {
      isFake = false
      await resources.disposeAsync()
    },
  }
}
