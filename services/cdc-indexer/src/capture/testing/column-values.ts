import type { Row } from '@sns/shared/events/change-event'
import { createMysqlSnapshotStore } from '../mysql/snapshot-store'
import { type BinlogFixture, collect } from './binlog-fixture'

/** What `INSERT INTO blocks` needs beside a test's own columns. */
const KEY = '(blocker_id, blocked_id, created_at'

export interface BothReadings {
  readonly binlog: readonly Row[]
  readonly select: readonly Row[]
}

/**
 * Gives the captured table `blocks` columns of its own (`c0`, `c1`, …), writes rows of values (SQL expressions) into
 * it, and reads them from the binlog and as a snapshot does. The table is as it was afterwards.
 */
export async function readBothWays(
  fixture: BinlogFixture,
  types: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<BothReadings> {
  const names = types.map((_, n) => `c${n}`)
  await fixture.write(
    `ALTER TABLE blocks ${types.map((type, n) => `ADD COLUMN c${n} ${type}`).join(', ')}`,
  )
  try {
    const from = await fixture.head()
    for (const [n, values] of rows.entries()) {
      await fixture.write(
        `INSERT INTO blocks ${[KEY, ...names].join(', ')}) VALUES (${[n, n, n, ...values].join(', ')})`,
      )
    }
    await using source = fixture.source()
    const { changes } = await collect(source, from, (all) => all.length >= rows.length)
    await using store = createMysqlSnapshotStore(fixture.server)
    const last = [rows.length, rows.length] as const
    const snapshot = { table: 'blocks', request: 1, after: null, end: last, rows: 0 } as const
    const select = await store.rows(snapshot, rows.length)
    const own = (row: Row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]))
    return {
      binlog: changes.map(({ after }) => own(after ?? {})),
      select: select.map(own),
    }
  } finally {
    await fixture.write(
      'DELETE FROM blocks',
      `ALTER TABLE blocks ${names.map((name) => `DROP COLUMN ${name}`).join(', ')}`,
    )
  }
}
