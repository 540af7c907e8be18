import { PAGE_LIMIT_DEFAULT } from '@sns/shared/domain/page'
import type { NotificationStore } from '@sns/shared/ports/notification-store'
import { Elysia } from 'elysia'
import type { Authentication } from '../../http/authentication'
import type { Bodies } from '../../http/body'
import { readNotificationCursor, writeNotificationKey } from '../../http/cursors'
import { PageQuery, pageLimit } from '../../http/fields'
import { invalidField } from '../../http/input'
import { nextLink } from '../../http/links'
import { NOTIFICATION_PAGE_EXAMPLE } from '../../http/openapi/examples'
import { NO_CONTENT, openapi, PROBLEMS, unchecked } from '../../http/openapi/operation'
import { NotificationPage, presentNotification, ReadMarker, readMark, UnreadCount } from './schema'

export interface NotificationRoutesDeps {
  readonly notifications: NotificationStore
  readonly bodies: Bodies
  readonly authenticated: Authentication
}

const UNREAD_MAX = 100

export function notificationRoutes({
  notifications,
  bodies,
  authenticated,
}: NotificationRoutesDeps) {
  return new Elysia({ prefix: '/v1' })
    .use(authenticated)
    .get(
      '/notifications',
      async ({ viewer, query }) => {
        const { items, next } = await notifications.list(viewer.id, {
          before: readNotificationCursor(query.cursor),
          limit: query.limit ?? PAGE_LIMIT_DEFAULT,
        })
        return {
          items: items.map(presentNotification),
          nextCursor: next === null ? null : writeNotificationKey(next),
        }
      },
      {
        query: PageQuery,
        transform: pageLimit,
        afterHandle: nextLink,
        response: { 200: unchecked(NotificationPage), ...PROBLEMS },
        detail: openapi({
          id: 'listNotifications',
          tag: 'notifications',
          summary: 'List your notifications',
          description:
            'Newest first: who followed you, liked your posts, commented on them or named you, about a second later and for 90 days. Without anyone blocked or muted, and without what was taken back.',
          errors: ['invalid_cursor'],
          examples: { answer: NOTIFICATION_PAGE_EXAMPLE },
        }),
      },
    )
    .get(
      '/notifications/unread',
      async ({ viewer }) => ({ unread: await notifications.countUnread(viewer.id, UNREAD_MAX) }),
      {
        response: { 200: unchecked(UnreadCount), ...PROBLEMS },
        detail: openapi({
          id: 'countUnreadNotifications',
          tag: 'notifications',
          summary: 'Count your unread notifications',
          description: 'Those after the newest that you marked as read, up to 100.',
          examples: { answer: { unread: 3 } },
        }),
      },
    )
    .put(
      '/notifications/read',
      async ({ viewer, body, status }) => {
        const isMarked = await notifications.markRead(viewer.id, readMark(body.until, 'until'))
        if (!isMarked) throw invalidField('until', 'is not one of your notifications')
        return status(204, undefined)
      },
      {
        parse: bodies.write,
        body: ReadMarker,
        response: NO_CONTENT,
        detail: openapi({
          id: 'markNotificationsRead',
          tag: 'notifications',
          summary: 'Mark notifications as read',
          description:
            'That one, which must be yours, and all before it. Repeating it changes nothing; it never goes back.',
          examples: { request: { until: NOTIFICATION_PAGE_EXAMPLE.items[0]?.id } },
        }),
      },
    )
}
