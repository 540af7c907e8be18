import type { UserId } from '@sns/shared/domain/id'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'

export interface UserLookupDeps {
  readonly users: Pick<UserStore, 'findByUsername'>
  readonly graph: Pick<GraphStore, 'isBlockedBy' | 'isBlockedEitherWay'>
}

export type UserLookup = ReturnType<typeof createUserLookup>

/** Finds users by the username in a request. */
export function createUserLookup({ users, graph }: UserLookupDeps) {
  /** Null where unknown or hidden by a block. */
  async function visible(username: string, viewer: UserId): Promise<User | null> {
    const user = await users.findByUsername(username)
    if (!user || user.id === viewer) return user
    return (await graph.isBlockedEitherWay(user.id, viewer)) ? null : user
  }

  return {
    /** Also users hidden by a block. Errors: `not_found`. */
    async any(username: string): Promise<User> {
      const user = await users.findByUsername(username)
      if (!user) throw noSuchUser()
      return user
    },

    /** Whether `viewer` may not know of the user: by a block that is not theirs alone to lift. */
    async isHiddenFrom(viewer: UserId, user: UserId): Promise<boolean> {
      if (!(await graph.isBlockedBy(viewer, user))) return false
      return !(await graph.isBlockedBy(user, viewer))
    },

    visible,

    /** Errors: `not_found`, also where a block hides the user. */
    async visibleOrThrow(username: string, viewer: UserId): Promise<User> {
      const user = await visible(username, viewer)
      if (!user) throw noSuchUser()
      return user
    },
  }
}

/** `not_found` in the same words for unknown and for hidden users. */
export function noSuchUser(): SnsError {
  return new SnsError('not_found', { detail: 'There is no such user' })
}
