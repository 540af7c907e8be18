import type { IdGenerator } from '../domain/id'
import type { User } from '../domain/user'
import type { EngagementStore } from '../ports/engagement-store'
import type { GraphStore } from '../ports/graph-store'
import type { PostStore } from '../ports/post-store'
import type { UserStore } from '../ports/user-store'
import type { ManualClock } from './manual-clock'

/** Posts and engagement with the stores that give them authors, followers and blocks, on one database. */
export interface PostStoreHarness extends AsyncDisposable {
  readonly posts: PostStore
  readonly engagement: EngagementStore
  readonly users: UserStore
  readonly graph: GraphStore
  readonly clock: ManualClock
  readonly ids: IdGenerator
  /** Creates a new user. */
  addUser(): Promise<User>
  /** Describes rows whose post or author is missing, and wrong counts; empty if the data is consistent. */
  inconsistencies(): Promise<readonly string[]>
}

/** Opens an empty database; tests share it, each with users of its own. */
export type CreatePostStoreHarness = () => Promise<PostStoreHarness>
