import { describe, expect, test } from 'bun:test'
import { connectMysql } from '@sns/shared/adapters/mysql/database'
import { migrate } from '@sns/shared/adapters/sql/migrate'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { eventually } from '@sns/shared/testing/eventually'
import { hasMysqlServer, startMysqlServer } from '@sns/shared/testing/mysql-server'
import { testMysqlSettings } from '@sns/shared/testing/sql-database'
import { insertPosts } from '../testing/binlog-fixture'
import { createMysqlBinlogSource } from './binlog-source'
import { readHead } from './checkpoint-store'
import { createMysqlSession, SERVER_SQL, textCell } from './session'

if (!hasMysqlServer) console.log('SKIPPED: no mysqld here to change binlog_checksum of')

describe.skipIf(!hasMysqlServer)('binlog_checksum', () => {
  test('may change while capture reads, there and back, and loses and garbles nothing', async () => {
    await using mysqld = await startMysqlServer([
      'CREATE DATABASE sns',
      "CREATE USER own@'%' IDENTIFIED BY 'own'",
      "GRANT ALL ON *.* TO own@'%'",
    ])
    const settings = {
      ...testMysqlSettings(`mysql://own:own@127.0.0.1:${mysqld.port}`),
      database: 'sns',
    }
    {
      await using database = await connectMysql(settings)
      await migrate(database.db)
    }
    await using writer = createMysqlSession(settings)
    const [server] = await writer.query(SERVER_SQL)
    const from = await readHead(writer)
    await using source = createMysqlBinlogSource({
      server: settings,
      logger: createLogger('test', 'silent'),
      metrics: createMetrics(),
    })
    const read: unknown[] = []
    const stop = new AbortController()
    let last = from
    const reading = source.read(
      from,
      { id: textCell(server, 'id').toLowerCase(), isKnown: true, published: [] },
      {
        add(item) {
          if (item.kind === 'change') read.push(item.event.after?.text)
          else last = item.position()
          return null
        },
      },
      stop.signal,
    )
    reading.catch(() => {})

    const written: string[] = []
    const write = async () => {
      const text = `한글 ${written.length} ${'x'.repeat(written.length)}`
      await writer.query(insertPosts([written.length + 1], text))
      written.push(text)
    }
    const mode = (value: string) => writer.query(`SET GLOBAL binlog_checksum = '${value}'`)
    for (const value of ['NONE', 'CRC32', 'NONE', 'NONE', 'CRC32']) {
      await write()
      await mode(value)
      await write()
      // Statements, compressed transactions and the end of a file have lengths of their own.
      await writer.query(`CREATE TABLE t${written.length} (id INT)`)
      await writer.query('SET SESSION binlog_transaction_compression = ON')
      await write()
      await writer.query('SET SESSION binlog_transaction_compression = OFF')
      await writer.query('FLUSH BINARY LOGS')
      await write()
    }
    const state = await Promise.race([
      eventually(() => read.length >= written.length, { timeoutMs: 30_000 }).then(() => 'read'),
      reading.then(() => 'ended'),
    ])
    expect(state).toBe('read')
    expect(read).toEqual(written)
    const head = await readHead(writer)
    await eventually(() => last.file === head.file)
    stop.abort()
    await reading
  }, 120_000)
})
