import type { UserId } from '@sns/shared/domain/id'
import type { User } from '@sns/shared/domain/user'
import { SnsError } from '@sns/shared/errors/sns-error'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { UserLookup } from '../users/lookup'

export interface GraphServiceDeps {
  readonly graph: Pick<GraphStore, 'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute'>
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

  return {
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
