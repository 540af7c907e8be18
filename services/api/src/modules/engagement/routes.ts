import type { IdGenerator } from '@sns/shared/domain/id'
import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import { COMMENT_TEXT_MAX } from '@sns/shared/domain/post'
import type { EngagementStore } from '@sns/shared/ports/engagement-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import type { Bodies } from '../../http/body'
import {
  readIdCursor,
  readRelationshipCursor,
  writeIdCursor,
  writeRelationshipCursor,
} from '../../http/cursors'
import { IdParams, PageQuery, pageLimit } from '../../http/fields'
import { IDEMPOTENCY_KEY, IdempotencyHeaders, markReplayed, REPLAYED } from '../../http/idempotency'
import { parseText, pathId } from '../../http/input'
import { finishedPage, nextLink } from '../../http/links'
import { COMMENT_EXAMPLE, POST_PAGE_EXAMPLE, USER_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { LOCATION, NO_CONTENT, openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { readPostPage, type VisiblePosts } from '../../memory/visible-posts'
import { PostPage } from '../posts/schema'
import { presentUser, UserPage } from '../users/schema'
import { Comment, CommentDraft, CommentPage, presentComment } from './schema'

export interface EngagementRoutesDeps {
  readonly engagement: EngagementStore
  readonly posts: Pick<PostStore, 'visibleLikedIds'>
  readonly visiblePosts: VisiblePosts
  readonly ids: IdGenerator
  readonly bodies: Bodies
  readonly authenticated: Authentication
}

export function engagementRoutes({
  engagement,
  posts,
  visiblePosts,
  ids,
  bodies,
  authenticated,
}: EngagementRoutesDeps) {
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .put(
      '/posts/:id/like',
      async ({ viewer, params, status }) =>
        status(204, await engagement.like(viewer.id, pathId(params.id))),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: openapi({
          id: 'likePost',
          tag: 'engagement',
          summary: 'Like a post',
          description: 'Repeating it changes nothing.',
          errors: ['not_found'],
        }),
      },
    )
    .delete(
      '/posts/:id/like',
      async ({ viewer, params, status }) =>
        status(204, await engagement.unlike(viewer.id, pathId(params.id))),
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: openapi({
          id: 'unlikePost',
          tag: 'engagement',
          summary: 'Remove a like',
          description: 'Repeating it changes nothing.',
          errors: ['not_found'],
        }),
      },
    )
    .get(
      '/posts/:id/likes',
      async ({ viewer, params, query }) => {
        const { items, next } = await engagement.likers(pathId(params.id), viewer.id, {
          before: readRelationshipCursor('likers', query.cursor),
          limit: query.limit ?? PAGE_LIMIT_DEFAULT,
        })
        return {
          items: items.map(presentUser),
          nextCursor: writeRelationshipCursor('likers', next),
        }
      },
      {
        params: IdParams,
        query: PageQuery,
        transform: pageLimit,
        afterHandle: nextLink,
        response: { 200: unchecked(UserPage), ...PROBLEMS },
        detail: openapi({
          id: 'listLikers',
          tag: 'engagement',
          summary: 'List who likes a post',
          description: 'Latest like first, without users hidden from you.',
          errors: ['not_found', 'invalid_cursor'],
          examples: { answer: USER_PAGE_EXAMPLE },
        }),
      },
    )
    .get(
      '/me/likes',
      async ({ request, set, viewer, isHeard, query }): Promise<PostPage> => {
        const page = await readPostPage(visiblePosts, {
          viewer,
          isHeard,
          list: 'liked',
          cursor: query.cursor,
          limit: query.limit ?? PAGE_LIMIT_DEFAULT,
          ids: (page) => posts.visibleLikedIds(viewer.id, page),
        })
        return finishedPage(page, { request, set })
      },
      {
        query: PageQuery,
        transform: pageLimit,
        response: { 200: unchecked(PostPage), ...PROBLEMS },
        detail: openapi({
          id: 'listLikedPosts',
          tag: 'engagement',
          summary: 'List the posts that you like',
          description: 'Newest post first, without those hidden from you.',
          errors: ['invalid_cursor'],
          examples: { answer: POST_PAGE_EXAMPLE },
        }),
      },
    )
    .get(
      '/posts/:id/comments',
      async ({ viewer, params, query }) => {
        const { items, next } = await engagement.comments(pathId(params.id), viewer.id, {
          after: readIdCursor<'comment'>('comments', query.cursor),
          limit: query.limit ?? PAGE_LIMIT_DEFAULT,
        })
        return { items: items.map(presentComment), nextCursor: writeIdCursor('comments', next) }
      },
      {
        params: IdParams,
        query: PageQuery,
        transform: pageLimit,
        afterHandle: nextLink,
        response: { 200: unchecked(CommentPage), ...PROBLEMS },
        detail: openapi({
          id: 'listComments',
          tag: 'engagement',
          summary: 'List comments',
          description: 'Oldest first, without comments by users hidden from you.',
          errors: ['not_found', 'invalid_cursor'],
          examples: { answer: { items: [COMMENT_EXAMPLE], nextCursor: null } },
        }),
      },
    )
    .post(
      '/posts/:id/comments',
      async ({ viewer, params, body, headers, set, status }) => {
        const { comment, created } = await engagement.comment({
          id: ids.next<'comment'>(),
          postId: pathId(params.id),
          authorId: viewer.id,
          text: parseText('text', body.text, COMMENT_TEXT_MAX),
          idempotencyKey: headers[IDEMPOTENCY_KEY] ?? null,
        })
        set.headers.location = `/v1/comments/${comment.id}`
        if (!created) markReplayed(set.headers)
        return status(201, presentComment(comment))
      },
      {
        parse: bodies.write,
        params: IdParams,
        body: CommentDraft,
        headers: IdempotencyHeaders,
        response: { 201: unchecked(Comment), ...PROBLEMS },
        detail: openapi({
          id: 'createComment',
          tag: 'engagement',
          summary: 'Comment on a post',
          description:
            'Adds a comment after all others. With an `Idempotency-Key`, a repeat within a day returns the first comment, or 404 if it was deleted.',
          errors: ['idempotency_key_reused', 'not_found'],
          examples: { request: { text: COMMENT_EXAMPLE.text }, answer: COMMENT_EXAMPLE },
          answerHeaders: { Location: LOCATION, ...REPLAYED },
        }),
      },
    )
    .delete(
      '/comments/:id',
      async ({ viewer, params, status }) => {
        await engagement.deleteComment(pathId(params.id), viewer.id)
        return status(204, undefined)
      },
      {
        params: IdParams,
        response: NO_CONTENT,
        detail: openapi({
          id: 'deleteComment',
          tag: 'engagement',
          summary: 'Delete a comment',
          description: 'Removes your own comment.',
          errors: ['not_found', 'forbidden'],
        }),
      },
    )
}
