import { describe, expect, test } from 'bun:test'
import { type Kysely, sql } from 'kysely'
import { changeKey, type Row } from '../../events/change-event'
import { CAPTURED_TABLES, type CapturedTable, capturedTables } from '../../events/tables'
import type { Database } from '../sql/schema'
import { openSqliteDatabase } from './database'

const TEXT = 'ㅎㅇ "quoted" \\ \n\t 👩‍👩‍👧 \u202Ertl'

interface Column {
  readonly name: string
  readonly type: string
  readonly notnull: number
}

async function columnsOf(db: Kysely<Database>, table: string): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`select * from pragma_table_info(${table})`.execute(db)
  return rows
}

/** A row of whatever the table holds: big integers, awkward text, nulls where they may be. */
async function sampleRow(db: Kysely<Database>, table: CapturedTable, seed: number): Promise<Row> {
  const row: Record<string, number | string | null> = {}
  for (const [index, { name, type, notnull }] of (await columnsOf(db, table)).entries()) {
    if (!notnull && seed % 2) row[name] = null
    else
      row[name] =
        type === 'INTEGER' || type === 'integer' ? 2 ** 53 - 10 * seed - index : `${TEXT} ${seed}`
  }
  return row
}

async function insert(db: Kysely<Database>, table: string, row: Row) {
  const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`.execute(
    db,
  )
}

function whereKey(table: CapturedTable, row: Row) {
  const parts = CAPTURED_TABLES[table].key.map((name) => sql`${sql.ref(name)} = ${row[name]}`)
  return sql.join(parts, sql` and `)
}

async function changes(db: Kysely<Database>) {
  const rows = await db.selectFrom('change_log').selectAll().orderBy('seq').execute()
  return rows.map(({ table_name, op, key, before, after }) => ({
    table: table_name,
    op,
    key,
    before: before && JSON.parse(before),
    after: after && JSON.parse(after),
  }))
}

describe('capture triggers', () => {
  test.each([...capturedTables])('write whole rows of %s with exact integers', async (table) => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    const { db } = database
    const first = await sampleRow(db, table, 1)
    expect(Object.keys(first).toSorted()).toEqual(CAPTURED_TABLES[table].columns.toSorted())
    const key = changeKey(table, first)
    await insert(db, table, first)
    // Changes every column that is not part of the key.
    const second = { ...(await sampleRow(db, table, 2)) }
    for (const name of CAPTURED_TABLES[table].key) second[name] = first[name] ?? null
    const sets = Object.entries(second).map(([name, value]) => sql`${sql.ref(name)} = ${value}`)
    await sql`update ${sql.table(table)} set ${sql.join(sets)} where ${whereKey(table, first)}`.execute(
      db,
    )
    await sql`delete from ${sql.table(table)} where ${whereKey(table, first)}`.execute(db)
    expect(await changes(db)).toEqual([
      { table, op: 'c', key, before: null, after: first },
      { table, op: 'u', key, before: first, after: second },
      { table, op: 'd', key, before: second, after: null },
    ])
  })

  test('leave no trace of what was rolled back', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    const row = await sampleRow(database.db, 'likes', 1)
    await database.db
      .transaction()
      .execute(async (tx) => {
        await insert(tx, 'likes', row)
        throw new Error('no')
      })
      .catch(() => {})
    expect(await changes(database.db)).toEqual([])
  })

  test('keep secrets and counters out of the log', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    const { rows } = await sql<{ table: string }>`
      select distinct tbl_name as "table" from sqlite_master where type = 'trigger'
    `.execute(database.db)
    expect(rows.map((row) => row.table).sort()).toEqual([...capturedTables].sort())
  })

  test('never use a sequence twice, also after the log was emptied', async () => {
    await using database = await openSqliteDatabase({ path: ':memory:' })
    const { db } = database
    await insert(db, 'likes', await sampleRow(db, 'likes', 1))
    await db.deleteFrom('change_log').execute()
    await insert(db, 'likes', await sampleRow(db, 'likes', 2))
    expect(
      (await db.selectFrom('change_log').select('seq').execute()).map((row) => row.seq),
    ).toEqual([2])
  })
})
