import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import { jsonBody } from '../../http/body'
import { IdParams, PageQuery, pageLimit } from '../../http/fields'
import { COMMENT_EXAMPLE } from '../../http/openapi/examples'
import { documented, NO_CONTENT, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { Comment, CommentDraft, CommentPage } from './schema'
import type { createEngagementService } from './service'

export function engagementRoutes(
  engagement: ReturnType<typeof createEngagementService>,
  authenticated: Authentication,
) {
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .put(
      '/posts/:id/like',
      async ({ viewer, params, status }) =>
        status(204, await engagement.like(viewer.id, params.id)),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: documented({
          tag: 'engagement',
          summary: 'Like a post',
          description: 'Doing it again changes nothing.',
          errors: ['not_found'],
        }),
      },
    )
    .delete(
      '/posts/:id/like',
      async ({ viewer, params, status }) =>
        status(204, await engagement.unlike(viewer.id, params.id)),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: documented({
          tag: 'engagement',
          summary: 'Take a like back',
          description: 'Doing it again changes nothing.',
          errors: ['not_found'],
        }),
      },
    )
    .get(
      '/posts/:id/comments',
      ({ viewer, params, query }) => engagement.comments(viewer.id, params.id, query),
      {
        params: IdParams,
        query: PageQuery,
        transform: pageLimit,
        response: { 200: unchecked(CommentPage), ...PROBLEMS },
        detail: documented({
          tag: 'engagement',
          summary: 'List comments',
          description: 'Oldest first, without those of people hidden from you.',
          errors: ['not_found', 'invalid_cursor'],
          examples: { answer: { items: [COMMENT_EXAMPLE], nextCursor: null } },
        }),
      },
    )
    .post(
      '/posts/:id/comments',
      async ({ viewer, params, body, status }) =>
        status(201, await engagement.comment(viewer.id, params.id, body.text)),
      {
        parse: jsonBody,
        params: IdParams,
        body: CommentDraft,
        response: { 201: unchecked(Comment), ...PROBLEMS },
        detail: documented({
          tag: 'engagement',
          summary: 'Comment on a post',
          description: 'Adds a comment below all others.',
          errors: ['not_found'],
          examples: { request: { text: COMMENT_EXAMPLE.text }, answer: COMMENT_EXAMPLE },
        }),
      },
    )
    .delete(
      '/comments/:id',
      async ({ viewer, params, status }) =>
        status(204, await engagement.deleteComment(viewer.id, params.id)),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: documented({
          tag: 'engagement',
          summary: 'Delete a comment',
          description: 'Removes your own comment.',
          errors: ['not_found', 'forbidden'],
        }),
      },
    )
}
