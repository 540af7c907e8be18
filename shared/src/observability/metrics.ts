import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { ERROR_CODES, type ErrorCode } from '../errors/error-codes'
import { OPERATIONS } from '../events/change-event'
import { capturedTables } from '../events/tables'
import { createLabelledCounter } from './label-domains'
import { addProcessMetrics } from './process-metrics'
import { TalliedCounter, TalliedGauge, TalliedHistogram } from './tallies'

const FAST_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300]

const PROBLEM_CODES = Object.keys(ERROR_CODES) as readonly ErrorCode[]
const STORES = ['mysql', 'sqlite', 'redis', 'kafka', 'elasticsearch'] as const
/** What clients are told live. */
const EVENT_KINDS = ['posts', 'notification', 'reset'] as const
export type EventKind = (typeof EVENT_KINDS)[number]
/** What reads the change log, by the name that its metrics, logs and health check have. */
const CONSUMERS = ['fanout', 'announce', 'derive', 'index'] as const
export type ConsumerName = (typeof CONSUMERS)[number]

export type Metrics = ReturnType<typeof createMetrics>

/** Every metric of the suite, declared once, in a registry of its own. A counter's labels have the values declared here and no others. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  addProcessMetrics(registry)
  return {
    registry,
    httpRequestSeconds: new TalliedHistogram({
      name: 'sns_http_request_duration_seconds',
      help: 'Time from request to response by method, route pattern and status class',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: FAST_SECONDS,
      registers,
    }),
    httpInFlight: new TalliedGauge({
      name: 'sns_http_requests_in_flight',
      help: 'Requests being answered',
      registers,
    }),
    httpProblems: createLabelledCounter({
      name: 'sns_http_problems_total',
      help: 'Requests refused or failed, by the code of the problem',
      labels: { code: PROBLEM_CODES },
      registers,
    }),
    feedReads: new TalliedCounter({
      name: 'sns_feed_reads_total',
      help: 'Feed pages by where their ids came from: window, merge (window then SQL), sql',
      labels: { source: ['window', 'merge', 'sql'] },
      registers,
    }),
    feedStageSeconds: new Histogram({
      name: 'sns_feed_stage_duration_seconds',
      help: 'Time in each stage of a feed read: skeleton, hydrate, rebuild',
      labelNames: ['stage'] as const,
      buckets: FAST_SECONDS,
      registers,
    }),
    feedDeliveryLag: new Gauge({
      name: 'sns_feed_delivery_lag_seconds',
      help: 'Age of the time up to which every post is known to be in timelines; 0 when none can be missing',
      registers,
    }),
    freshnessBelieves: new Gauge({
      name: 'sns_freshness_believes',
      help: '1 while pages may come from memory, 0 while SQL checks each',
      registers,
    }),
    eventStreams: new Gauge({
      name: 'sns_event_streams',
      help: 'Clients that listen to events',
      registers,
    }),
    eventMemory: new Gauge({
      name: 'sns_event_memory_bytes',
      help: 'Memory used to know whose posts concern whom of those who listen',
      registers,
    }),
    eventsSent: createLabelledCounter({
      name: 'sns_events_sent_total',
      help: 'Events sent to listening clients, by kind',
      labels: { event: EVENT_KINDS },
      registers,
    }),
    freshnessHeard: new Counter({
      name: 'sns_freshness_messages_heard_total',
      help: 'Messages about changes heard from other processes and from this one',
      registers,
    }),
    freshnessFenceCloses: createLabelledCounter({
      name: 'sns_freshness_fence_closes_total',
      help: 'Times this process closed the fence, by reason: writer (a change could not be announced), server (another Redis)',
      labels: { reason: ['writer', 'server'] },
      registers,
    }),
    pieceLookups: new TalliedCounter({
      name: 'sns_page_piece_lookups_total',
      help: 'Pieces of pages looked up in memory by result: hit, miss (read from SQL)',
      labels: { result: ['hit', 'miss'] },
      registers,
    }),
    fanoutDeliveries: new Counter({
      name: 'sns_fanout_deliveries_total',
      help: 'Ids pushed to timelines',
      registers,
    }),
    fanoutSkips: createLabelledCounter({
      name: 'sns_fanout_skips_total',
      help: 'Ids not pushed, by reason: absent, duplicate, below_floor',
      labels: { reason: ['absent', 'duplicate', 'below_floor'] },
      registers,
    }),
    fanoutLagSeconds: new Histogram({
      name: 'sns_fanout_lag_seconds',
      help: 'From the commit of a post to its last delivery',
      buckets: LAG_SECONDS,
      registers,
    }),
    captureLagSeconds: new ReadGauge({
      name: 'sns_capture_lag_seconds',
      help: 'Age of the oldest change read from the binlog and not yet acknowledged; 0 when there is none',
      registers,
    }),
    captureBacklogBytes: new Gauge({
      name: 'sns_capture_backlog_bytes',
      help: 'Bytes of changes read from the binlog and not yet acknowledged',
      registers,
    }),
    captureRows: createLabelledCounter({
      name: 'sns_capture_rows_total',
      help: 'Rows published by table and operation',
      labels: { table: capturedTables, op: OPERATIONS },
      registers,
    }),
    captureLeader: new Gauge({
      name: 'sns_capture_leader',
      help: '1 while this process holds the capture lock',
      registers,
    }),
    captureRestarts: new Counter({
      name: 'sns_capture_restarts_total',
      help: 'Times capture went back to its checkpoint after an error',
      registers,
    }),
    indexBulkSeconds: new Histogram({
      name: 'sns_index_bulk_duration_seconds',
      help: 'Time of one batch into the search index',
      buckets: FAST_SECONDS,
      registers,
    }),
    indexDocuments: createLabelledCounter({
      name: 'sns_index_documents_total',
      help: 'Changes given to the search index by outcome: applied, stale, rejected',
      labels: { outcome: ['applied', 'stale', 'rejected'] },
      registers,
    }),
    indexHalted: new Gauge({
      name: 'sns_index_halted',
      help: '1 while the indexer waits for an operator, as the search index takes nothing',
      registers,
    }),
    indexLagSeconds: new TalliedHistogram({
      name: 'sns_index_lag_seconds',
      help: 'From the commit of a row to its acknowledgement by the search index',
      buckets: LAG_SECONDS,
      registers,
    }),
    consumerRetries: createLabelledCounter({
      name: 'sns_consumer_retries_total',
      help: 'Batches that failed and will come again, by consumer group',
      labels: { group: CONSUMERS },
      registers,
    }),
    consumerBacklog: new Gauge({
      name: 'sns_consumer_backlog',
      help: 'Changes a consumer group has yet to finish',
      labelNames: ['group'] as const,
      registers,
    }),
    storeErrors: createLabelledCounter({
      name: 'sns_store_errors_total',
      help: 'Calls to a store that failed for good, by store: mysql, sqlite, redis, kafka, elasticsearch',
      labels: { store: STORES },
      registers,
    }),
    storeRetries: createLabelledCounter({
      name: 'sns_store_retries_total',
      help: 'Calls to a store that were tried again, by store',
      labels: { store: STORES },
      registers,
    }),
    poolDiscards: createLabelledCounter({
      name: 'sns_pool_discards_total',
      help: 'Connections to MySQL thrown away by reason: lifetime, idle, refused (the server is no primary), moved (another server is)',
      labels: { reason: ['lifetime', 'idle', 'refused', 'moved'] },
      registers,
    }),
    mysqlMoves: new Counter({
      name: 'sns_mysql_primary_moves_total',
      help: 'Times another server of MySQL was found to be the primary',
      registers,
    }),
    mysqlPrimaryKnown: new ReadGauge({
      name: 'sns_mysql_primary_known',
      help: '1 while it is known which server of MySQL is the primary, so that it may be used; 0 also where nobody looks',
      registers,
    }),
    replicaReads: createLabelledCounter({
      name: 'sns_replica_reads_total',
      help: 'Reads that may go to a replica of MySQL, by who answered: replica, primary',
      labels: { answer: ['replica', 'primary'] },
      registers,
    }),
    replicasAside: new Gauge({
      name: 'sns_replicas_set_aside',
      help: 'Replicas of MySQL that are not read, by reason: unavailable, behind, diverged (it has what the primary has not)',
      labelNames: ['reason'] as const,
      registers,
    }),
    poolConnections: new Gauge({
      name: 'sns_pool_connections',
      help: 'Connections of the SQL pool by state: busy, idle, waiting',
      labelNames: ['state'] as const,
      registers,
    }),
  }
}

/** A gauge whose value is asked for at each scrape; 0 until somebody can tell. */
class ReadGauge extends Gauge {
  #read: () => number = () => 0

  readFrom(read: () => number): void {
    this.#read = read
  }

  /** Called by the registry. */
  collect(): void {
    this.set(this.#read())
  }
}
