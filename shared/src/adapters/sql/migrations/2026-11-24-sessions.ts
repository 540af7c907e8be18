import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addColumn, createTable, type DialectKind } from './table'

const ID_EPOCH_MS = Date.UTC(2024, 0, 1)
const SESSION_MAX_MS = 90 * 24 * 3600 * 1000

/**
 * Sessions as rows of their own, usernames that rest, and lists of blocks and mutes by age. Only adds:
 * a process of the version before goes on with its tables. Frozen.
 */
export function sessions(kind: DialectKind): Migration {
  const mysql = kind === 'mysql'
  const integer: ColumnDataType = mysql ? 'bigint' : 'integer'
  const family: ColumnDataType | Expression<unknown> = mysql
    ? sql`varchar(64) character set ascii collate ascii_bin`
    : 'text'
  const username = mysql
    ? sql`varchar(30) character set ascii collate ascii_general_ci`
    : sql`text collate nocase`

  async function up(db: Kysely<unknown>): Promise<void> {
    const table = createTable(db, kind)
    const column = addColumn(db, kind)
    await table({
      name: 'sessions',
      columns: {
        id: integer,
        user_id: integer,
        family_id: family,
        created_at: integer,
        last_used_at: integer,
        live_until: integer,
        expires_at: integer,
        rotations: integer,
        is_repeated: integer,
      },
      primaryKey: ['id'],
      unique: { sessions_family: ['family_id'] },
      indexes: { sessions_user: ['user_id', 'id'], sessions_live_until: ['live_until'] },
    })
    await column('accounts', 'session_epoch', integer, sql`not null default 0`)
    await column('refresh_tokens', 'replaced_in', integer, sql`null`)
    await table({
      name: 'resting_usernames',
      columns: { username, rests_until: integer },
      primaryKey: ['username'],
      indexes: { resting_usernames_end: ['rests_until'] },
    })
    await index(db, 'blocks', 'blocks_age', ['blocker_id', 'created_at', 'blocked_id'])
    await index(db, 'mutes', 'mutes_age', ['muter_id', 'created_at', 'muted_id'])
    await adoptFamilies(db)
  }

  async function index(
    db: Kysely<unknown>,
    table: string,
    name: string,
    columns: readonly string[],
  ): Promise<void> {
    // MySQL knows no `if not exists` here.
    if (mysql) {
      const { rows } = await sql`select 1 from information_schema.statistics
        where table_schema = database() and table_name = ${table} and index_name = ${name}`.execute(
        db,
      )
      if (rows.length > 0) return
    }
    const create = db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
    await (mysql ? create : create.ifNotExists()).execute()
  }

  return { up }
}

/**
 * Each family that can still be refreshed becomes a session: nobody has to log in again. Ids are made of
 * the time of the oldest token and a count within that millisecond, as all ids are.
 */
async function adoptFamilies(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into sessions (
      id, user_id, family_id, created_at, last_used_at, live_until, expires_at, rotations, is_repeated
    )
    select
      (started - ${ID_EPOCH_MS}) * 4096
        + row_number() over (partition by started order by family_id) - 1,
      user_id, family_id, started, used,
      case when ends < started + ${SESSION_MAX_MS} then ends else started + ${SESSION_MAX_MS} end,
      started + ${SESSION_MAX_MS}, 0, 0
    from (
      select
        family_id, user_id, min(created_at) as started, max(created_at) as used,
        max(expires_at) as ends
      from refresh_tokens
      where revoked_at is null and not exists (
        select 1 from sessions where sessions.family_id = refresh_tokens.family_id
      )
      group by family_id, user_id
    ) as families
  `.execute(db)
}
