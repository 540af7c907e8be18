import type { Selectable } from 'kysely'
import type { User } from '../../domain/user'
import type { UsersTable } from './schema'

/** What a query selects of `users` for `toUser`. */
export const USER_COLUMNS = [
  'users.id',
  'users.username',
  'users.display_name',
  'users.created_at',
] as const

type UserRow = Pick<Selectable<UsersTable>, 'id' | 'username' | 'display_name' | 'created_at'>

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    createdAt: row.created_at,
  }
}
