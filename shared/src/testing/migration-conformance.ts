import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { assertMigrated, migrate } from '../adapters/sql/migrate'
import { createIdGenerator, idTime } from '../domain/id'
import { OperatorError } from '../errors/operator-error'
import { isSnsError } from '../errors/sns-error'
import type { NewRefreshToken } from '../ports/session-store'
import { createSqlStores } from '../runtime/sql-stores'
import { createManualClock } from './manual-clock'
import { freshToken, signUp } from './people'
import { openTestDatabase, type TestDatabase } from './sql-database'

const DAY_MS = 24 * 3600 * 1000

/** What migrations promise on either database. */
export function migrationConformance(kind: TestDatabase['kind']): void {
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

    test('resumes a run that was interrupted between tables', async () => {
      await using database = await openTestDatabase(kind)
      await sql`drop table mutes`.execute(database.db)
      await sql`delete from kysely_migration`.execute(database.db)
      await migrate(database.db)
      expect(await database.db.selectFrom('mutes').selectAll().execute()).toEqual([])
    })

    test('makes a session of each family of refresh tokens: nobody has to log in again', async () => {
      await using database = await openTestDatabase(kind)
      const { db } = database
      const clock = createManualClock()
      const { users, sessions } = createSqlStores(db, { clock, ids: createIdGenerator({ clock }) })
      const user = await signUp(users)
      await asBeforeSessions(db)
      const start = clock.now()
      const family = (name: string, tokens: readonly NewRefreshToken[], revokedAt: number | null) =>
        tokens.map(({ hash, expiresAt }, at) => ({
          hash,
          family_id: `family ${name}`,
          user_id: user.id,
          expires_at: expiresAt,
          replaced_at: at + 1 < tokens.length ? start + at + 1 : null,
          revoked_at: revokedAt,
          created_at: start + at,
        }))
      const month = start + 30 * DAY_MS
      const [old, phone, tablet, ended] = Array.from({ length: 4 }, () => freshToken(month))
      await db
        .insertInto('refresh_tokens')
        .values([
          ...family('phone', [old!, phone!], null),
          ...family('tablet', [tablet!], null),
          ...family('ended', [ended!], start),
        ])
        .execute()

      await migrate(db)

      const now = start + DAY_MS
      const { items } = await sessions.list(user.id, { before: null, limit: 10 }, now)
      expect(items.map(({ id }) => idTime(id))).toEqual([start, start])
      const expiresAt = start + 90 * DAY_MS
      const both = { createdAt: start, expiresAt }
      expect(items.map(({ id, ...rest }) => rest)).toContainEqual({ ...both, lastUsedAt: start })
      expect(items.map(({ id, ...rest }) => rest)).toContainEqual({
        ...both,
        lastUsedAt: start + 1,
      })
      for (const token of [phone!, tablet!]) {
        const grant = await sessions.rotate(token.hash, freshToken(month), now)
        expect((await sessions.findViewer(grant, now))?.id).toBe(user.id)
      }
      for (const [token, code] of [
        [ended!, 'refresh_token_invalid'],
        [old!, 'refresh_token_reused'],
      ] as const) {
        const error = await sessions.rotate(token.hash, freshToken(month), now).catch((e) => e)
        expect(isSnsError(error, code)).toBeTrue()
      }
    })

    test('derives the hashtags of earlier posts by the rules of today', async () => {
      await using database = await openTestDatabase(kind)
      const { db } = database
      const clock = createManualClock()
      const { posts, tags, users } = createSqlStores(db, {
        clock,
        ids: createIdGenerator({ clock }),
      })
      const author = await signUp(users)
      const ids = createIdGenerator({ clock })
      const write = async (text: string, ...keys: string[]) => {
        const draft = { id: ids.next<'post'>(), authorId: author.id, text, idempotencyKey: null }
        const { body } = await posts.create(draft)
        await tags.set([{ post: body.id, tags: keys }])
        return body.id
      }
      const cafe = await write('one #Café', 'café')
      const persian = await write('#نرم‌افزار', 'نرم')
      const keycap = await write('#️⃣Hello', '️⃣hello')
      const plain = await write('no tag')
      await sql`delete from kysely_migration where name >= '2026-11-30-tag-keys'`.execute(db)
      await migrate(db)
      const rows = await db.selectFrom('post_tags').selectAll().orderBy('post_id').execute()
      expect(rows).toEqual([
        { tag: 'cafe', post_id: cafe },
        { tag: 'نرمافزار', post_id: persian },
      ])
      expect(rows.some(({ post_id }) => post_id === keycap || post_id === plain)).toBeFalse()
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

/** Undoes the migration of sessions and removes its record. */
async function asBeforeSessions(db: TestDatabase['db']): Promise<void> {
  await sql`drop table sessions`.execute(db)
  await sql`drop table resting_usernames`.execute(db)
  await sql`alter table accounts drop column session_epoch`.execute(db)
  await sql`alter table refresh_tokens drop column replaced_in`.execute(db)
  await sql`delete from kysely_migration where name >= '2026-11-24'`.execute(db)
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
