import type { UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import { readIdCursor, writeIdCursor } from '../../http/cursors'
import type { PageQuery } from '../../http/fields'
import { noSuchUser, type UserLookup } from './lookup'
import { presentProfile, presentUser } from './present'
import type * as contract from './schema'

export interface UserServiceDeps {
  readonly users: Pick<UserStore, 'findProfile'>
  readonly graph: Pick<GraphStore, 'followers' | 'following'>
  readonly lookup: UserLookup
}

export function createUserService({ users, graph, lookup }: UserServiceDeps) {
  async function followPage(
    list: 'followers' | 'following',
    username: string,
    viewer: UserId,
    query: PageQuery,
  ): Promise<contract.UserPage> {
    const before = readIdCursor<'follow'>('follows', query.cursor)
    const user = await lookup.visibleOrThrow(username, viewer)
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const { items, next } = await graph[list](user.id, viewer, { before, limit })
    return { items: items.map(presentUser), nextCursor: writeIdCursor('follows', next) }
  }

  return {
    async profile(username: string, viewer: UserId): Promise<contract.Profile> {
      const profile = await users.findProfile(username, viewer)
      if (!profile) throw noSuchUser()
      return presentProfile(profile)
    },

    followers(username: string, viewer: UserId, query: PageQuery): Promise<contract.UserPage> {
      return followPage('followers', username, viewer, query)
    },

    following(username: string, viewer: UserId, query: PageQuery): Promise<contract.UserPage> {
      return followPage('following', username, viewer, query)
    },
  }
}
