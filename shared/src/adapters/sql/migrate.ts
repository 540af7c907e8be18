import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { OperatorError } from '../../errors/operator-error'
import { traitsOf } from './database'
import { migrationsFor } from './migrations/index'
import type { Database } from './schema'

/** Told after each migration that ran: its name, how many are done, of how many that were due. */
export type MigrationProgress = (name: string, done: number, total: number) => void

/**
 * Creates or upgrades the tables. Idempotent; runs at the same time wait for each other (GET_LOCK on
 * MySQL, the write lock on SQLite) and the later ones find nothing left to do.
 */
export async function migrate(
  db: Kysely<Database>,
  onProgress: MigrationProgress = () => {},
): Promise<void> {
  const migrations = migrationsFor(traitsOf(db).kind)
  const applied = await appliedMigrations(db)
  refuseNewer(applied, migrations)
  const total = Object.keys(migrations).filter((name) => !applied.includes(name)).length
  if (total === 0) return
  let done = 0
  const reporting = Object.entries(migrations).map(([name, migration]): [string, Migration] => [
    name,
    {
      async up(schemaDb) {
        await migration.up(schemaDb)
        done++
        onProgress(name, done, total)
      },
    },
  ])
  const provider = { getMigrations: async () => Object.fromEntries(reporting) }
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error) throw error
}

/** Throws an `OperatorError` where the tables are older or newer than this code. */
export async function assertMigrated(db: Kysely<Database>): Promise<void> {
  const migrations = migrationsFor(traitsOf(db).kind)
  const applied = await appliedMigrations(db)
  refuseNewer(applied, migrations)
  const missing = Object.keys(migrations).filter((name) => !applied.includes(name))
  if (missing.length > 0) {
    throw new OperatorError(
      `the database's tables ${applied.length === 0 ? 'are not there yet' : `are older than this program (${missing.join(', ')} missing)`}: run migrate`,
    )
  }
}

function refuseNewer(applied: readonly string[], known: Readonly<Record<string, Migration>>) {
  const unknown = applied.filter((name) => !Object.hasOwn(known, name))
  if (unknown.length > 0) {
    throw new OperatorError(
      `the database's tables are newer than this program (${unknown.join(', ')}): run the newer version`,
    )
  }
}

/** By the database's own catalogue, as asking a table that is not there is an error of its own kind. */
async function appliedMigrations(db: Kysely<Database>): Promise<readonly string[]> {
  const catalogue =
    traitsOf(db).kind === 'mysql'
      ? sql`select 1 from information_schema.tables where table_schema = database() and table_name = 'kysely_migration'`
      : sql`select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'`
  const { rows } = await catalogue.execute(db)
  if (rows.length === 0) return []
  const names = await sql<{
    name: string
  }>`select name from kysely_migration order by name`.execute(db)
  return names.rows.map(({ name }) => name)
}
