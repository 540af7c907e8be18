import type { ErrorCode } from '@sns/shared/errors/error-codes'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { PageQuery, pageLimit, UsernameParams } from '../../http/fields'
import { USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { documented, NO_CONTENT, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { UserPage } from '../users/schema'
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

export function tieListRoutes(
  graph: ReturnType<typeof createGraphService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1/me' })
    .use(authenticated)
    .get(
      '/blocks',
      ({ viewer, query }) => graph.blocks(viewer.id, query),
      list('List your blocks', 'Whom you block, latest block first.'),
    )
    .get(
      '/mutes',
      ({ viewer, query }) => graph.mutes(viewer.id, query),
      list('List your mutes', 'Whom you mute, latest mute first, without those hidden from you.'),
    )
}

function list(summary: string, description: string) {
  return {
    query: PageQuery,
    transform: pageLimit,
    response: { 200: unchecked(UserPage), ...PROBLEMS },
    detail: documented({
      tag: 'users',
      summary,
      description,
      errors: ['invalid_cursor'],
      examples: { answer: USER_PAGE_EXAMPLE },
    }),
  }
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
