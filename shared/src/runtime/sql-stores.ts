import { createSqlDeliveryProgress } from '../adapters/sql/delivery-progress'
import { createSqlEngagementStore } from '../adapters/sql/engagement-store'
import { createSqlGraphStore } from '../adapters/sql/graph-store'
import { createSqlLaneStore } from '../adapters/sql/lane-store'
import { createSqlNotificationStore } from '../adapters/sql/notification-store'
import { createSqlPostStore } from '../adapters/sql/post-store'
import { createSqlSessionStore } from '../adapters/sql/session-store'
import { createSqlTagStore } from '../adapters/sql/tag-store'
import { createSqlUserStore } from '../adapters/sql/user-store'
import type { Clock } from '../domain/clock'
import type { IdGenerator } from '../domain/id'
import type { ApiStores } from './backend-ports'

export type SqlStores = Pick<
  ApiStores,
  | 'users'
  | 'sessions'
  | 'graph'
  | 'posts'
  | 'engagement'
  | 'lanes'
  | 'deliveryProgress'
  | 'notifications'
  | 'tags'
>

/** The stores that both backends keep in SQL. */
export function createSqlStores(
  db: Parameters<typeof createSqlUserStore>[0],
  deps: { readonly clock: Clock; readonly ids: IdGenerator },
): SqlStores {
  return {
    users: createSqlUserStore(db, deps),
    sessions: createSqlSessionStore(db),
    graph: createSqlGraphStore(db, deps),
    posts: createSqlPostStore(db, deps),
    engagement: createSqlEngagementStore(db, deps),
    lanes: createSqlLaneStore(db),
    deliveryProgress: createSqlDeliveryProgress(db, deps),
    notifications: createSqlNotificationStore(db, deps),
    tags: createSqlTagStore(db),
  }
}
