import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import { OperatorError } from '../../errors/operator-error'
import { EPOCH_SEQUENCES, SEQUENCE_LEAP } from '../../events/change-event'
import { highestNumber } from '../../events/gtid'
import { testServers } from '../../testing/servers'
import { openTestDatabase } from '../../testing/sql-database'
import type { Database } from '../sql/schema'
import { createMysqlLogSources } from './log-sources'

// Each transaction that is asked for may yet come.
setDefaultTimeout(30_000)

const STRANGER = '5b000000-0000-0000-0000-00000000000f'

async function executed(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ uuid: string }>`select @@global.server_uuid as uuid`.execute(db)
  return `${rows[0]?.uuid}:1`
}

describe.skipIf(!testServers.mysql)('the sources of the log, in MySQL', () => {
  test('are those of what the server has executed, and of what was met before', async () => {
    await using database = await openTestDatabase('mysql')
    const sources = createMysqlLogSources(database.db)
    await sources.recognize(await executed(database.db))
    for (const gtid of [`${STRANGER}:7`, `${STRANGER}:blue:7`, '7', `${STRANGER}:1-5`, "x':1"]) {
      const failure = await sources.recognize(gtid).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(OperatorError)
      expect(String(failure)).toContain(`${gtid} is of a source that this MySQL does not know`)
      await expect(sources.leap(gtid)).rejects.toThrow('does not know')
    }
    // As a database that was moved from another server has it.
    await database.db
      .insertInto('log_sources')
      .values({ source: STRANGER, sequence: 0, updated_at: 1 })
      .execute()
    await sources.recognize(`${STRANGER}:7`)
    await expect(sources.recognize(`${STRANGER}:blue:7`)).rejects.toThrow('does not know')
  })

  test('begin above every sequence that was ever given', async () => {
    await using database = await openTestDatabase('mysql')
    const { db } = database
    const sources = createMysqlLogSources(db)
    const gtid = await executed(db)
    const first = await sources.leap(gtid)
    const { rows } = await sql<{ set: string }>`select @@global.gtid_executed as \`set\``.execute(
      db,
    )
    expect(first).toBeGreaterThan(SEQUENCE_LEAP)
    expect(first + SEQUENCE_LEAP).toBeGreaterThan(highestNumber(rows[0]?.set ?? ''))
    expect(await sources.leap(gtid)).toBeGreaterThanOrEqual(first + SEQUENCE_LEAP)
    const last = 3 * EPOCH_SEQUENCES
    await db
      .insertInto('capture_checkpoint')
      .values({
        name: 'capture',
        gtid_set: '',
        file: '',
        pos: 4,
        server_id: '',
        epoch: 3,
        fence: 0,
        last_gtid: null,
        last_committed_at: null,
        epochs: JSON.stringify({ last, starts: {} }),
        updated_at: 1,
      })
      .execute()
    expect(await sources.leap(gtid)).toBeGreaterThanOrEqual(last + SEQUENCE_LEAP)
  })
})
