import { type ColumnDataType, type Expression, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { addCaptureTriggers } from './capture-triggers'
import { createTable, type DialectKind } from './table'

type Column = ColumnDataType | Expression<unknown>

/** Frozen: what a database has run is never changed here, only by a later migration. */
export function foundation(kind: DialectKind): Migration {
  const mysql = kind === 'mysql'
  const integer: Column = mysql ? 'bigint' : 'integer'
  // Binary collations: what people write is compared byte by byte, four-byte characters included.
  const text: Column = mysql ? sql`text character set utf8mb4 collate utf8mb4_bin` : 'text'
  const short = (length: number): Column =>
    mysql ? sql.raw(`varchar(${length}) character set utf8mb4 collate utf8mb4_bin`) : 'text'
  const ascii = (length: number): Column =>
    mysql ? sql.raw(`varchar(${length}) character set ascii collate ascii_bin`) : 'text'
  // Usernames are ASCII, so that folding case is all the collation does: no other two are equal.
  const username: Column = mysql
    ? sql`varchar(30) character set ascii collate ascii_general_ci`
    : sql`text collate nocase`

  async function up(db: Kysely<unknown>): Promise<void> {
    const table = createTable(db, kind)
    await table({
      name: 'users',
      columns: {
        id: integer,
        username,
        display_name: short(100),
        created_at: integer,
        updated_at: integer,
      },
      primaryKey: ['id'],
      unique: { users_username: ['username'] },
    })
    await table({
      name: 'accounts',
      columns: { user_id: integer, password_hash: ascii(255), graph_version: integer },
      primaryKey: ['user_id'],
    })
    await table({
      name: 'posts',
      columns: {
        id: integer,
        author_id: integer,
        text,
        version: integer,
        created_at: integer,
        edited_at: integer,
        updated_at: integer,
      },
      nullable: ['edited_at'],
      primaryKey: ['id'],
      indexes: { posts_author_id: ['author_id', 'id'] },
    })
    await table({
      name: 'follows',
      columns: { follower_id: integer, followee_id: integer, id: integer, created_at: integer },
      primaryKey: ['follower_id', 'followee_id'],
      // Unique, so that pages that go on after an id can neither skip nor repeat a follow.
      unique: {
        follows_followee_id_id: ['followee_id', 'id'],
        follows_follower_id_id: ['follower_id', 'id'],
      },
    })
    await table({
      name: 'blocks',
      columns: { blocker_id: integer, blocked_id: integer, created_at: integer },
      primaryKey: ['blocker_id', 'blocked_id'],
      indexes: { blocks_blocked: ['blocked_id', 'blocker_id'] },
    })
    await table({
      name: 'mutes',
      columns: { muter_id: integer, muted_id: integer, created_at: integer },
      primaryKey: ['muter_id', 'muted_id'],
      indexes: { mutes_muted: ['muted_id', 'muter_id'] },
    })
    await table({
      name: 'likes',
      columns: { user_id: integer, post_id: integer, created_at: integer },
      primaryKey: ['user_id', 'post_id'],
      indexes: { likes_post: ['post_id', 'user_id'] },
    })
    await table({
      name: 'comments',
      columns: { id: integer, post_id: integer, author_id: integer, text, created_at: integer },
      primaryKey: ['id'],
      indexes: { comments_post: ['post_id', 'id'], comments_author: ['author_id', 'id'] },
    })
    await table({
      name: 'post_counts',
      columns: { post_id: integer, likes: integer, comments: integer },
      primaryKey: ['post_id'],
    })
    await table({
      name: 'refresh_tokens',
      columns: {
        hash: ascii(64),
        family_id: ascii(64),
        user_id: integer,
        expires_at: integer,
        replaced_at: integer,
        revoked_at: integer,
        created_at: integer,
      },
      nullable: ['replaced_at', 'revoked_at'],
      primaryKey: ['hash'],
      indexes: {
        refresh_tokens_family: ['family_id'],
        refresh_tokens_user: ['user_id'],
        refresh_tokens_expiry: ['expires_at'],
      },
    })
    await table({
      name: 'idempotency_keys',
      columns: {
        user_id: integer,
        idem_key: short(255),
        post_id: integer,
        text_hash: ascii(64),
        created_at: integer,
      },
      primaryKey: ['user_id', 'idem_key'],
      indexes: { idempotency_keys_age: ['created_at'] },
    })
    if (mysql) {
      await table({
        name: 'capture_checkpoint',
        columns: {
          name: ascii(64),
          gtid_set: sql`mediumtext character set ascii collate ascii_bin`,
          file: ascii(255),
          pos: integer,
          server_id: ascii(64),
          epoch: integer,
          fence: integer,
          updated_at: integer,
        },
        primaryKey: ['name'],
      })
    } else {
      await table({
        name: 'change_offsets',
        columns: { group_name: text, seq: integer },
        primaryKey: ['group_name'],
      })
      await addCaptureTriggers(db)
    }
  }
  return { up }
}
