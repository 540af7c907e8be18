/** Tables whose every committed change is published, with their primary keys in order. */
export const CAPTURED_TABLES = {
  users: ['id'],
  posts: ['id'],
  follows: ['follower_id', 'followee_id'],
  blocks: ['blocker_id', 'blocked_id'],
  mutes: ['muter_id', 'muted_id'],
  likes: ['user_id', 'post_id'],
  comments: ['id'],
} as const

export type CapturedTable = keyof typeof CAPTURED_TABLES

export const capturedTables = Object.keys(CAPTURED_TABLES) as readonly CapturedTable[]

export function isCapturedTable(name: string): name is CapturedTable {
  return Object.hasOwn(CAPTURED_TABLES, name)
}
