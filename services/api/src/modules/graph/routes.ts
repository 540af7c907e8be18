import { UsernameParams } from '@sns/shared/contract/http/fields'
import type { ErrorCode } from '@sns/shared/errors/catalogue'
import { Elysia } from 'elysia'
import type { Authentication } from '../../plugins/authentication'
import { NO_CONTENT } from '../../plugins/openapi/answers'
import { documented } from '../../plugins/openapi/operation'
import type { createGraphService } from './service'

export function graphRoutes(
  graph: ReturnType<typeof createGraphService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1/users/:username' })
    .use(authenticated)
    .put(
      '/follow',
      async ({ viewer, params, status }) =>
        status(204, await graph.follow(viewer.id, params.username)),
      tie('Follow', 'Puts their posts into your feed. A block between you bars it.', ['blocked']),
    )
    .delete(
      '/follow',
      async ({ viewer, params, status }) =>
        status(204, await graph.unfollow(viewer.id, params.username)),
      tie('Unfollow', 'Takes their posts out of your feed.'),
    )
    .put(
      '/block',
      async ({ viewer, params, status }) =>
        status(204, await graph.block(viewer.id, params.username)),
      tie('Block', 'Ends the follows in both directions and hides each of you from the other.'),
    )
    .delete(
      '/block',
      async ({ viewer, params, status }) =>
        status(204, await graph.unblock(viewer.id, params.username)),
      tie('Unblock', 'Lifts your block. The follows that it ended stay ended.'),
    )
    .put(
      '/mute',
      async ({ viewer, params, status }) =>
        status(204, await graph.mute(viewer.id, params.username)),
      tie('Mute', 'Hides their posts from your feed without their knowing.'),
    )
    .delete(
      '/mute',
      async ({ viewer, params, status }) =>
        status(204, await graph.unmute(viewer.id, params.username)),
      tie('Unmute', 'Shows their posts in your feed again.'),
    )
}

function tie(summary: string, description: string, errors: readonly ErrorCode[] = []) {
  return {
    params: UsernameParams,
    response: NO_CONTENT,
    detail: documented({
      tag: 'users',
      summary,
      description: `${description} Doing it again changes nothing.`,
      errors: ['not_found', 'self_target', ...errors],
    }),
  }
}
