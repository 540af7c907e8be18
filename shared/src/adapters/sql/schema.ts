import type { Generated } from 'kysely'
import type { CommentId, PostId, SessionId, UserId } from '../../domain/id'
import type { RowOf } from '../../events/tables'

/**
 * Every table, as rows come back: BIGINTs as exact numbers, times as Unix milliseconds. The DDL is in
 * migrations/; the rows of captured tables are declared where consumers read them, in events/tables.
 */
export interface Database {
  users: RowOf<'users'>
  accounts: AccountsTable
  posts: RowOf<'posts'>
  follows: RowOf<'follows'>
  blocks: RowOf<'blocks'>
  mutes: RowOf<'mutes'>
  likes: RowOf<'likes'>
  comments: RowOf<'comments'>
  post_counts: PostCountsTable
  sessions: SessionsTable
  refresh_tokens: RefreshTokensTable
  resting_usernames: RestingUsernamesTable
  account_deletions: AccountDeletionsTable
  post_deletions: PostDeletionsTable
  idempotency_keys: IdempotencyKeysTable
  capture_checkpoint: CaptureCheckpointTable
  log_sources: LogSourcesTable
  change_log: ChangeLogTable
  change_offsets: ChangeOffsetsTable
  imports: ImportsTable
  imported_notes: ImportedNotesTable
  freshness_fence: FreshnessFenceTable
  freshness_processes: FreshnessProcessesTable
  delivery_progress: DeliveryProgressTable
  merged_authors: MergedAuthorsTable
  notifications: NotificationsTable
  notification_marks: NotificationMarksTable
  post_tags: PostTagsTable
}

/** Secrets and hot counters of a user: never captured, so they stay out of the log. */
export interface AccountsTable {
  user_id: UserId
  password_hash: string
  graph_version: number
  /** Raised when every session ends at once; 0 at first. */
  session_epoch: Generated<number>
}

/** Not captured. A post has a row from its first like or comment on. */
export interface PostCountsTable {
  post_id: PostId
  likes: number
  comments: number
}

/** A row is a session that has not ended; the rules are those of `SessionStore`. */
export interface SessionsTable {
  id: SessionId
  user_id: UserId
  /** What its refresh tokens have in common. */
  family_id: string
  created_at: number
  last_used_at: number
  /** When it ends unless it is refreshed. */
  live_until: number
  /** When it ends at the latest. */
  expires_at: number
  /** How often its tokens were replaced. */
  rotations: number
  /** 1 where the one more refresh with a replaced token was used up since the last rotation. */
  is_repeated: 0 | 1
}

export interface RefreshTokensTable {
  /** SHA-256, hex. */
  hash: string
  family_id: string
  user_id: UserId
  expires_at: number
  replaced_at: number | null
  /** The session's `rotations` after the one that replaced it; null of those replaced before 24 November 2026. */
  replaced_in: number | null
  /** Written by versions before sessions were rows: a session that ends now takes its tokens along. */
  revoked_at: number | null
  created_at: number
}

/** Names of deleted accounts that nobody may take yet. Not captured. */
export interface RestingUsernamesTable {
  /** Unique without regard to case. */
  username: string
  rests_until: number
}

/** Deleted posts of which likes or comments are left. Not captured. */
export interface PostDeletionsTable {
  post_id: PostId
}

/** Deleted accounts of which rows are left. Not captured. */
export interface AccountDeletionsTable {
  user_id: UserId
  started_at: number
}

export interface IdempotencyKeysTable {
  user_id: UserId
  idem_key: string
  /** The post that it made, or that its comment is about. */
  post_id: PostId
  /** The comment that it made; null where it made a post. */
  comment_id: CommentId | null
  text_hash: string
  created_at: number
}

/** MySQL only. One row: the capture's place in the binlog and the fence of its last lease. */
export interface CaptureCheckpointTable {
  name: string
  gtid_set: string
  file: string
  pos: number
  server_id: string
  epoch: number
  fence: number
  last_gtid: string | null
  last_committed_at: number | null
  epochs: string | null
  /** MySQL only. */
  topics: string | null
  updated_at: number
}

/** MySQL only. */
export interface LogSourcesTable {
  /** Of GTIDs: a server or a group, with its tag if it has one. */
  source: string
  /** The highest that a consumer began to count from where it met the source; 0: none did. */
  sequence: number
  updated_at: number
}

/** SQLite only, written by triggers alone: plays binlog and Kafka. */
export interface ChangeLogTable {
  /** Grows in commit order: SQLite has one writer at a time, and a sequence is never used twice. */
  seq: Generated<number>
  table_name: string
  op: 'c' | 'u' | 'd'
  /** As `changeKey()` writes it. */
  key: string
  /** Row images as JSON objects; integers are exact. */
  before: string | null
  after: string | null
  ts_ms: number
}

/** SQLite only: the last sequence that a consumer group has finished. */
export interface ChangeOffsetsTable {
  group_name: string
  seq: number
}

/** How far each bulk import has come. */
export interface ImportsTable {
  /** SHA-256 of the input, hex. */
  source: string
  started_at: number
  users_done: number
  follows_done: number
  posts_done: number
  comments_done: Generated<number>
  updated_at: number
}

/** What an account wrote elsewhere and brought here: a later archive holds it once more. */
export interface ImportedNotesTable {
  user_id: UserId
  /** SHA-256, hex. */
  note: string
}

/** One row; the rules are those of `DeliveryProgress`. */
export interface DeliveryProgressTable {
  id: number
  /** Unix milliseconds. */
  delivered_at: number
}

/** MySQL only. One row; the rules are those of `FreshnessFence`. */
export interface FreshnessFenceTable {
  id: 1
  generation: number
  is_open: number
  term: number
  server: string
  /** The server of MySQL that all of this is of (its `server_uuid`); empty before anybody looked. */
  primary_server: string
  /** By that server's clock. */
  primary_since: number
}

/** MySQL only: who has a say in opening the fence. */
export interface FreshnessProcessesTable {
  process: string
  /** The run of the message server it is connected to; null: none. */
  server: string | null
  /** By the database's clock, so that the clocks of processes need not agree. */
  seen_at: number
}

/** Authors who are not in the `push` lane. Not captured; the rules are those of `LaneStore`. */
export interface MergedAuthorsTable {
  author_id: UserId
  /** 1: fan-out pushes their posts too. */
  is_pushed: number
  /** The attempt to move the author that began last. */
  crossing: number
}

/** Made from the change log, not captured; the rules are those of `NotificationStore`. */
export interface NotificationsTable {
  recipient_id: UserId
  /** An index of `NOTIFICATION_KINDS`. */
  kind: number
  actor_id: UserId
  /** A comment, a post, or 0. */
  subject_id: number
  /** 0 of a follow. */
  post_id: number
  at: number
  /** Its place in the list; below zero (the place negated) while it is withdrawn. */
  noticed_at: number
}

/** The newest notification that somebody has read, and the highest place that they were given one at. */
export interface NotificationMarksTable {
  user_id: UserId
  noticed_at: number
  kind: number
  actor_id: UserId
  subject_id: number
  newest: number
}

/** Made from the change log, not captured. */
export interface PostTagsTable {
  /** As `tagKey` gives it. */
  tag: string
  post_id: PostId
}
