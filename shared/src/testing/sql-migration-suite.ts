import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { assertMigrated, migrate } from '../adapters/sql/migrate'
import { OperatorError } from '../errors/operator-error'
import { openTestDatabase, type TestDatabase } from './sql-database'

/** What migrations promise on either database. */
export function sqlMigrationSuite(kind: TestDatabase['kind']): void {
  describe('migrate', () => {
    const openEmpty = () => openTestDatabase(kind, { migrated: false })

    test('makes the tables, telling of each step, and then has nothing to do', async () => {
      await using database = await openEmpty()
      const steps: [string, number, number][] = []
      await migrate(database.db, (...step) => steps.push(step))
      expect(steps.length).toBeGreaterThan(0)
      expect(steps[0]?.[0]).toBe('2026-11-23-foundation')
      expect(steps.map(([, done]) => done)).toEqual(steps.map((_, index) => index + 1))
      expect(steps.every(([, , total]) => total === steps.length)).toBeTrue()
      await assertMigrated(database.db)
      await migrate(database.db, () => expect.unreachable())
    })

    test('can be run by several at once', async () => {
      await using database = await openEmpty()
      await Promise.all(Array.from({ length: 4 }, () => migrate(database.db)))
      await assertMigrated(database.db)
    })

    test('goes on after a run that was cut off between tables', async () => {
      await using database = await openTestDatabase(kind)
      await sql`drop table mutes`.execute(database.db)
      await sql`delete from kysely_migration`.execute(database.db)
      await migrate(database.db)
      expect(await database.db.selectFrom('mutes').selectAll().execute()).toEqual([])
    })

    test('asks for migrate where tables are missing or older', async () => {
      await using database = await openEmpty()
      expect(await messageOf(assertMigrated(database.db))).toMatch(/not there yet: run migrate/)
      await migrate(database.db)
      await sql`delete from kysely_migration where name = '2026-11-23-foundation'`.execute(
        database.db,
      )
      expect(await messageOf(assertMigrated(database.db))).toMatch(/older .*: run migrate/)
    })

    test('refuses tables of a newer program', async () => {
      await using database = await openTestDatabase(kind)
      await sql`insert into kysely_migration (name, timestamp) values ('2999-01-01-x', '2999-01-01T00:00:00.000Z')`.execute(
        database.db,
      )
      for (const attempt of [assertMigrated, migrate]) {
        expect(await messageOf(attempt(database.db))).toMatch(
          /newer than this program \(2999-01-01-x\)/,
        )
      }
    })
  })
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(OperatorError)
  expect(error.message).not.toContain('\n')
  return error.message
}
