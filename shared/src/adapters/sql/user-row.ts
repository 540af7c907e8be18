import type { UserId } from '../../domain/id'
import type { Author, User } from '../../domain/user'
import type { RowOf } from '../../events/tables'

/** What a query selects of `users` for `toUser`. */
export const USER_COLUMNS = [
  'users.id',
  'users.username',
  'users.display_name',
  'users.created_at',
] as const

type UserRow = Pick<RowOf<'users'>, 'id' | 'username' | 'display_name' | 'created_at'>

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    createdAt: row.created_at,
  }
}

/** Of a row that joins what somebody wrote with its author. */
export function toAuthor(
  row: { readonly author_id: UserId } & Pick<UserRow, 'username' | 'display_name'>,
): Author {
  return { id: row.author_id, username: row.username, displayName: row.display_name }
}
