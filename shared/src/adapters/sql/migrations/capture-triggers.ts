import { type Kysely, sql } from 'kysely'

/** As of this migration; a later one that changes a table makes its triggers anew. */
const CAPTURED = {
  users: { key: ['id'], rest: ['username', 'display_name', 'created_at', 'updated_at'] },
  posts: {
    key: ['id'],
    rest: ['author_id', 'text', 'version', 'created_at', 'edited_at', 'updated_at'],
  },
  follows: { key: ['follower_id', 'followee_id'], rest: ['id', 'created_at'] },
  blocks: { key: ['blocker_id', 'blocked_id'], rest: ['created_at'] },
  mutes: { key: ['muter_id', 'muted_id'], rest: ['created_at'] },
  likes: { key: ['user_id', 'post_id'], rest: ['created_at'] },
  comments: { key: ['id'], rest: ['post_id', 'author_id', 'text', 'created_at'] },
} as const

const NOW_MS = "cast(unixepoch('subsec') * 1000 as integer)"

/** The change log and the triggers that write it: in the transaction of the change, in commit order. */
export async function addCaptureTriggers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table if not exists change_log (
      seq integer primary key autoincrement,
      table_name text not null,
      op text not null,
      key text not null,
      before text,
      after text,
      ts_ms integer not null
    ) strict
  `.execute(db)
  for (const [table, { key, rest }] of Object.entries(CAPTURED)) {
    const image = (row: 'old' | 'new') => jsonObject(row, [...key, ...rest])
    const operations = [
      { event: 'insert', op: 'c', row: 'new', before: 'null', after: image('new') },
      { event: 'update', op: 'u', row: 'new', before: image('old'), after: image('new') },
      { event: 'delete', op: 'd', row: 'old', before: image('old'), after: 'null' },
    ] as const
    for (const { event, op, row, before, after } of operations) {
      await sql
        .raw(
          `create trigger if not exists capture_${table}_${event} after ${event} on ${table} begin
             insert into change_log (table_name, op, key, before, after, ts_ms)
             values ('${table}', '${op}', ${jsonObject(row, key)}, ${before}, ${after}, ${NOW_MS});
           end`,
        )
        .execute(db)
    }
  }
}

function jsonObject(row: 'old' | 'new', columns: readonly string[]): string {
  return `json_object(${columns.map((column) => `'${column}', ${row}.${column}`).join(', ')})`
}
