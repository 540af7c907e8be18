import type { UserId } from '@sns/shared/domain/id'
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
  async function other(username: string, viewer: UserId): Promise<UserId> {
    const { id } = await lookup.any(username)
    if (id === viewer) throw new SnsError('self_target')
    return id
  }

  return {
    async follow(viewer: UserId, username: string): Promise<void> {
      await graph.follow(viewer, await other(username, viewer))
    },
    async unfollow(viewer: UserId, username: string): Promise<void> {
      await graph.unfollow(viewer, await other(username, viewer))
    },
    async block(viewer: UserId, username: string): Promise<void> {
      await graph.block(viewer, await other(username, viewer))
    },
    async unblock(viewer: UserId, username: string): Promise<void> {
      await graph.unblock(viewer, await other(username, viewer))
    },
    async mute(viewer: UserId, username: string): Promise<void> {
      const { id } = await lookup.visibleOrThrow(username, viewer)
      if (id === viewer) throw new SnsError('self_target')
      await graph.mute(viewer, id)
    },
    async unmute(viewer: UserId, username: string): Promise<void> {
      await graph.unmute(viewer, await other(username, viewer))
    },
  }
}
