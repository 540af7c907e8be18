import type { Generated } from 'kysely'
import type { CommentId, FollowId, PostId, UserId } from '../../domain/id'

/**
 * Every table, as rows come back: BIGINTs as exact numbers, times as Unix milliseconds. The DDL is in
 * migrations/; captured tables are named in contract/tables.
 */
export interface Database {
  users: UsersTable
  accounts: AccountsTable
  posts: PostsTable
  follows: FollowsTable
  blocks: BlocksTable
  mutes: MutesTable
  likes: LikesTable
  comments: CommentsTable
  post_counts: PostCountsTable
  refresh_tokens: RefreshTokensTable
  idempotency_keys: IdempotencyKeysTable
  capture_checkpoint: CaptureCheckpointTable
  change_log: ChangeLogTable
  change_offsets: ChangeOffsetsTable
  imports: ImportsTable
}

export interface UsersTable {
  id: UserId
  /** Unique without regard to case. */
  username: string
  display_name: string
  created_at: number
  updated_at: number
}

/** Secrets and hot counters of a user: never captured, so they stay out of the log. */
export interface AccountsTable {
  user_id: UserId
  password_hash: string
  graph_version: number
}

export interface PostsTable {
  id: PostId
  author_id: UserId
  text: string
  version: number
  created_at: number
  edited_at: number | null
  updated_at: number
}

export interface FollowsTable {
  follower_id: UserId
  followee_id: UserId
  id: FollowId
  created_at: number
}

export interface BlocksTable {
  blocker_id: UserId
  blocked_id: UserId
  created_at: number
}

export interface MutesTable {
  muter_id: UserId
  muted_id: UserId
  created_at: number
}

export interface LikesTable {
  user_id: UserId
  post_id: PostId
  created_at: number
}

export interface CommentsTable {
  id: CommentId
  post_id: PostId
  author_id: UserId
  text: string
  created_at: number
}

/** Not captured. A post has a row from its creation on. */
export interface PostCountsTable {
  post_id: PostId
  likes: number
  comments: number
}

export interface RefreshTokensTable {
  /** SHA-256, hex. */
  hash: string
  family_id: string
  user_id: UserId
  expires_at: number
  /** When another token took its place: to see this one again after that means it leaked. */
  replaced_at: number | null
  revoked_at: number | null
  created_at: number
}

export interface IdempotencyKeysTable {
  user_id: UserId
  idem_key: string
  post_id: PostId
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
  updated_at: number
}
