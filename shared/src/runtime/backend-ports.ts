import type { KafkaClient } from '../adapters/kafka/client'
import type { MysqlSettings } from '../config/program-settings'
import type { Clock } from '../domain/clock'
import type { IdGenerator } from '../domain/id'
import type { TopicNames } from '../events/tables'
import type { Logger } from '../observability/logger'
import type { Metrics } from '../observability/metrics'
import type { BulkLoader } from '../ports/bulk-loader'
import type { ChangeLog } from '../ports/change-log'
import type { DeadLetters } from '../ports/dead-letters'
import type { DeliveryProgress } from '../ports/delivery-progress'
import type { EngagementStore } from '../ports/engagement-store'
import type { ChangeAnnouncer, Freshness } from '../ports/freshness'
import type { FreshnessFence } from '../ports/freshness-fence'
import type { GraphStore } from '../ports/graph-store'
import type { HealthCheck } from '../ports/health'
import type { CurrentIndex, IndexGenerations } from '../ports/index-generations'
import type { LaneStore } from '../ports/lane-store'
import type { NotificationStore } from '../ports/notification-store'
import type { PostStore } from '../ports/post-store'
import type { RateLimiter } from '../ports/rate-limiter'
import type { SearchIndex } from '../ports/search-index'
import type { SearchSource } from '../ports/search-source'
import type { SessionStore } from '../ports/session-store'
import type { TagStore } from '../ports/tag-store'
import type { TimelineStore } from '../ports/timeline-store'
import type { UserStore } from '../ports/user-store'
import type { Job } from './job'

/** The stores that a service cannot work without. */
export interface Watched {
  readonly health: readonly HealthCheck[]
}

export interface ApiStores extends Watched {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly engagement: EngagementStore
  readonly lanes: LaneStore
  readonly deliveryProgress: DeliveryProgress
  readonly notifications: NotificationStore
  readonly tags: TagStore
  readonly timelines: TimelineStore
  readonly freshness: Freshness
  readonly rateLimiters: { readonly shared: RateLimiter; readonly local: RateLimiter }
  readonly search: SearchIndex
}

export interface FanoutStores extends Watched {
  readonly changeLog: ChangeLog
  readonly announcer: ChangeAnnouncer
  readonly users: UserStore
  readonly graph: GraphStore
  readonly posts: PostStore
  readonly lanes: LaneStore
  readonly deliveryProgress: DeliveryProgress
  readonly notifications: NotificationStore
  readonly tags: TagStore
  readonly timelines: TimelineStore
}

/** The servers that capture reads and writes, by connections of its own. */
export interface CaptureServers extends Watched {
  readonly mysql: MysqlSettings
  readonly kafka: KafkaClient
  readonly topics: TopicNames
  /** For commands: what makes timelines of before count as missing. */
  readonly fence: FreshnessFence
}

export interface IndexStores extends Watched {
  readonly changeLog: ChangeLog
  readonly index: CurrentIndex
  readonly deadLetters: DeadLetters
}

export interface ImportStores {
  readonly loader: BulkLoader
  readonly users: UserStore
  readonly graph: GraphStore
}

/** For building a new index beside the one that is read. */
export interface ReindexStores extends Omit<IndexStores, 'index' | 'health'> {
  readonly index: IndexGenerations
  readonly source: SearchSource
}

/**
 * The stores behind the ports, as one way of running provides them. Each method opens what its service
 * needs and nothing else; what two services need is opened once. Disposing closes all of it.
 */
export interface Backend extends AsyncDisposable {
  /** Run beside the services' jobs. One ends, with an error, where a store can only be opened anew. */
  readonly jobs: readonly Job[]
  readonly ids: IdGenerator
  readonly clock: Clock
  forApi(): Promise<ApiStores>
  forFanout(): Promise<FanoutStores>
  /** Null where the database writes the change log itself. */
  forCapture(): Promise<CaptureServers | null>
  forIndex(): Promise<IndexStores>
  /** The index and what it is made from, to be compared. */
  forSearchVerify(): Promise<{ readonly search: SearchIndex; readonly source: SearchSource }>
  /** Null where there is one index for good. */
  forReindex(): Promise<ReindexStores | null>
  forImport(): Promise<ImportStores>
}

export interface BackendDeps {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
}
