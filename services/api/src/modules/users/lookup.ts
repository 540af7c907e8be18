import type { UserId } from '@sns/shared/domain/id'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'

export interface UserLookupDeps {
  readonly users: Pick<UserStore, 'findByUsername'>
  readonly graph: Pick<GraphStore, 'isBlockedEitherWay'>
}

export type UserLookup = ReturnType<typeof createUserLookup>

/** Finds whom a username in a request means. */
export function createUserLookup({ users, graph }: UserLookupDeps) {
  /** Null where unknown or on the other side of a block. */
  async function visible(username: string, viewer: UserId): Promise<User | null> {
    const user = await users.findByUsername(username)
    if (!user || user.id === viewer) return user
    return (await graph.isBlockedEitherWay(user.id, viewer)) ? null : user
  }

  return {
    /** Whoever it is, hidden or not. Errors: `not_found`. */
    async any(username: string): Promise<User> {
      const user = await users.findByUsername(username)
      if (!user) throw noSuchUser()
      return user
    },

    visible,

    /** Errors: `not_found`, also for who is on the other side of a block. */
    async visibleOrThrow(username: string, viewer: UserId): Promise<User> {
      const user = await visible(username, viewer)
      if (!user) throw noSuchUser()
      return user
    },
  }
}

/** `not_found`, in the same words whether there is nobody or a block stands between. */
export function noSuchUser(): SnsError {
  return new SnsError('not_found', { detail: 'There is no such user' })
}
