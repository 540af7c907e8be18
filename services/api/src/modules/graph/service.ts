import type { UserId } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import { readTieCursor, writeTieCursor } from '../../http/cursors'
import type { PageQuery } from '../../http/fields'
import type { UserLookup } from '../users/lookup'
import { presentUser } from '../users/present'
import type { UserPage } from '../users/schema'

export interface GraphServiceDeps {
  readonly graph: Pick<
    GraphStore,
    'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute' | 'blocks' | 'mutes'
  >
  readonly lookup: UserLookup
}

/**
 * Follows, blocks and mutes by username. What makes a tie to someone hidden is refused, except a block
 * in return; what undoes one is always let through.
 */
export function createGraphService({ graph, lookup }: GraphServiceDeps) {
  /** Whoever is meant, hidden or not. */
  async function anyOther(username: string, viewer: UserId): Promise<UserId> {
    return otherThan(viewer, await lookup.any(username))
  }

  async function tiePage(
    list: 'blocks' | 'mutes',
    viewer: UserId,
    { cursor, limit = PAGE_LIMIT_DEFAULT }: PageQuery,
  ): Promise<UserPage> {
    const { items, next } = await graph[list](viewer, {
      before: readTieCursor(list, cursor),
      limit,
    })
    return { items: items.map(presentUser), nextCursor: writeTieCursor(list, next) }
  }

  return {
    blocks: (viewer: UserId, query: PageQuery) => tiePage('blocks', viewer, query),
    mutes: (viewer: UserId, query: PageQuery) => tiePage('mutes', viewer, query),

    async follow(viewer: UserId, username: string): Promise<void> {
      await graph.follow(viewer, await anyOther(username, viewer))
    },
    async unfollow(viewer: UserId, username: string): Promise<void> {
      await graph.unfollow(viewer, await anyOther(username, viewer))
    },
    async block(viewer: UserId, username: string): Promise<void> {
      await graph.block(viewer, await anyOther(username, viewer))
    },
    async unblock(viewer: UserId, username: string): Promise<void> {
      await graph.unblock(viewer, await anyOther(username, viewer))
    },
    async mute(viewer: UserId, username: string): Promise<void> {
      await graph.mute(viewer, otherThan(viewer, await lookup.visibleOrThrow(username, viewer)))
    },
    async unmute(viewer: UserId, username: string): Promise<void> {
      await graph.unmute(viewer, await anyOther(username, viewer))
    },
  }
}

function otherThan(viewer: UserId, { id }: User): UserId {
  if (id === viewer) throw new SnsError('self_target')
  return id
}
