import { type Static, Type } from '@sinclair/typebox'
import { formatId } from '@sns/shared/domain/id'
import * as stored from '@sns/shared/ports/notification-store'
import { parseNotificationKey, writeNotificationKey } from '../../http/cursors'
import { formatTime, IdField, pageOf, TimeField } from '../../http/fields'
import { invalidField } from '../../http/input'
import { Author, presentAuthor } from '../users/schema'

const NotificationIdField = Type.String({ description: 'Opaque; later ones are read later' })

export const Notification = Type.Object(
  {
    id: NotificationIdField,
    kind: Type.Unsafe<stored.NotificationKind>(
      Type.String({ enum: [...stored.NOTIFICATION_KINDS], description: 'What happened' }),
    ),
    actor: { ...Author, description: 'Who did it' },
    postId: Type.Union([IdField, Type.Null()], {
      description: 'The post that was liked, commented on or names you',
    }),
    commentId: Type.Union([IdField, Type.Null()], {
      description: 'The comment, or the comment that names you',
    }),
    text: Type.Union([Type.String(), Type.Null()], {
      description: 'Of the comment, else of the post',
    }),
    createdAt: TimeField,
    read: Type.Boolean(),
  },
  { component: 'Notification', additionalProperties: false },
)

export const NotificationPage = pageOf(
  Notification,
  'NotificationPage',
  'Your notifications, newest first',
)

export const UnreadCount = Type.Object(
  { unread: Type.Integer({ description: 'Counted up to 100' }) },
  { component: 'UnreadCount', additionalProperties: false },
)

export const ReadMarker = Type.Object(
  {
    until: Type.String({
      description: 'The id of the newest notification that was seen',
      check: readMark,
    }),
  },
  { component: 'ReadMarker', additionalProperties: false },
)

/** Throws `invalid_request`. */
export function readMark(until: string, field: string): stored.NotificationKey {
  const key = parseNotificationKey(until)
  if (key === null) throw invalidField(field, 'is not the id of a notification')
  return key
}

export type Notification = Static<typeof Notification>
export type NotificationPage = Static<typeof NotificationPage>

export function presentNotification(each: stored.Notification): Notification {
  return {
    id: writeNotificationKey(each.key),
    kind: each.kind,
    actor: presentAuthor(each.actor),
    postId: each.postId === null ? null : formatId(each.postId),
    commentId: each.commentId === null ? null : formatId(each.commentId),
    text: each.text,
    createdAt: formatTime(each.at),
    read: each.isRead,
  }
}
