import { type Insertable, sql } from 'kysely'
import { exactId } from '../../domain/id'
import { SnsError } from '../../errors/sns-error'
import { type Queryable, traitsOf } from './database'
import type { Database } from './schema'

const ATTEMPTS = 100

/** What an insert answers where its id may not be used, though no row has it. */
export const ID_TAKEN = Symbol('id taken')

/**
 * Inserts under `id`, or under the next that is free where it is taken. `insert` is one statement;
 * `idIndexes` are the unique indexes whose refusal means that the id is taken, as its answer `ID_TAKEN` does. Other errors, refusals
 * by other indexes included, come out as they are.
 */
export async function insertWithFreeId<TheId extends number>(
  db: Queryable,
  id: TheId,
  idIndexes: readonly string[],
  insert: (id: TheId) => Promise<unknown>,
): Promise<TheId> {
  const { duplicateIndex } = traitsOf(db)
  for (let candidate = id, attempt = 1; attempt <= ATTEMPTS; attempt++) {
    exactId(candidate)
    try {
      if ((await insert(candidate)) !== ID_TAKEN) return candidate
    } catch (error) {
      const index = duplicateIndex(error)
      if (index === null || !idIndexes.includes(index)) throw error
    }
    candidate = (candidate + 1) as TheId
  }
  throw new SnsError('internal', { detail: `no free id within ${ATTEMPTS} of ${id}` })
}

/** Inserts the row unless one with its key is there; true where it was inserted. */
export async function insertIfAbsent<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  row: Insertable<Database[Table]>,
): Promise<boolean> {
  return (await insertAbsent(db, table, [row])) > 0
}

/**
 * Inserts the rows whose keys are not there yet; how many those were. MySQL's way (`insert ignore`)
 * also swallows values that do not fit, so callers give only values they made or checked.
 */
export async function insertAbsent<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  rows: readonly Insertable<Database[Table]>[],
): Promise<number> {
  const insert = db.insertInto(table).values(rows)
  const { numInsertedOrUpdatedRows } = await (traitsOf(db).kind === 'mysql'
    ? insert.ignore()
    : insert.onConflict((conflict) => conflict.doNothing())
  ).executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows ?? 0n)
}

/** Inserts the rows; where one with its key is there, that takes the values of `columns`. */
export async function insertOrUpdate<Table extends keyof Database>(
  db: Queryable,
  table: Table,
  rows: readonly Insertable<Database[Table]>[],
  columns: readonly (keyof Database[Table] & string)[],
): Promise<void> {
  const isMysql = traitsOf(db).kind === 'mysql'
  const values = columns.map((column) => {
    const given = isMysql ? sql`values(${sql.ref(column)})` : sql`excluded.${sql.ref(column)}`
    return sql`${sql.ref(column)} = ${given}`
  })
  const clause = isMysql ? sql`on duplicate key update` : sql`on conflict do update set`
  await db
    .insertInto(table)
    .values(rows)
    .modifyEnd(sql`${clause} ${sql.join(values)}`)
    .execute()
}
