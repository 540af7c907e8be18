import type { User } from '@sns/client'
import type { ComponentChildren } from 'preact'
import { List, type Pages } from './pages'
import { Link } from './router'

interface PeopleProps {
  readonly pages: Pages<User>
  readonly empty: string
  readonly label: string
  /** What can be done about somebody, beside their name. */
  readonly action?: (user: User) => ComponentChildren
}

export function People({ pages, empty, label, action }: PeopleProps) {
  return (
    <List
      pages={pages}
      empty={empty}
      label={label}
      show={(user) => (
        <div class="person">
          <Link to={`/users/${user.username}`} class="author">
            <strong dir="auto">{user.displayName}</strong> <span>@{user.username}</span>
          </Link>
          {action?.(user)}
        </div>
      )}
    />
  )
}
