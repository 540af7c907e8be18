import { type Admin, ConfigResourceTypes, type ITopicConfig } from 'kafkajs'
import { retry } from '../../async/retry'
import { OperatorError } from '../../errors/operator-error'
import {
  capturedTables,
  deadLetterTopic,
  TOPIC_MESSAGE_BYTES,
  type TopicNames,
  topicName,
} from '../../events/tables'
import { checkKafkaAccepted, createKafkaConnection, type KafkaClient } from './client'
import { brokerErrorType, explainKafkaError } from './errors'

export interface MigrateTopicsOptions extends TopicNames {
  readonly partitions: number
  readonly replication: number
  readonly onProgress?: (progress: {
    readonly topic: string
    readonly done: number
    readonly total: number
  }) => void
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1000
const TIMEOUT_MS = 30_000
const YOUNG_TOPIC = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])

/** Makes the topics that are missing; changes none that exist. Safe to run again and at once. */
export async function migrateTopics(
  client: KafkaClient,
  options: MigrateTopicsOptions,
): Promise<void> {
  await checkKafkaAccepted(client)
  await using connection = createKafkaConnection(client, (kafka) => kafka.admin())
  const wanted: readonly WantedTopic[] = [
    ...capturedTables.map((table) => ({
      topic: topicName(options, table),
      partitions: options.partitions,
      settings: changeSettings(options),
    })),
    {
      topic: deadLetterTopic(options),
      partitions: 1,
      settings: {
        ...durableSettings(options),
        'max.message.bytes': TOPIC_MESSAGE_BYTES + LETTER_BYTES,
      },
    },
  ]
  try {
    const existing = new Set(await connection.run((admin) => admin.listTopics(), TIMEOUT_MS))
    for (const [index, topic] of wanted.entries()) {
      await connection.run(async (admin) => {
        if (!existing.has(topic.topic)) await create(admin, topic, options.replication)
        await verify(admin, topic, options.replication)
      }, TIMEOUT_MS)
      options.onProgress?.({ topic: topic.topic, done: index + 1, total: wanted.length })
    }
  } catch (error) {
    throw explain(error, client, options)
  }
}

interface WantedTopic {
  readonly topic: string
  readonly partitions: number
  /** A topic may have more of what is counted, and never less. */
  readonly settings: Readonly<Record<string, number | string>>
}

/** What a dead letter says beside its change. */
const LETTER_BYTES = 64 * 1024

/** What capture and its consumers rely on. */
function changeSettings(options: MigrateTopicsOptions): WantedTopic['settings'] {
  return {
    'max.message.bytes': TOPIC_MESSAGE_BYTES,
    // Compaction keeps only a deleted row's tombstone, and a consumer learns of the delete from the
    // record before it: one that was away must find that record for so long.
    'min.compaction.lag.ms': WEEK_MS,
    'delete.retention.ms': WEEK_MS,
    ...durableSettings(options),
  }
}

function durableSettings({ replication }: MigrateTopicsOptions): WantedTopic['settings'] {
  return {
    'cleanup.policy': 'compact',
    'min.insync.replicas': replication >= 3 ? 2 : 1,
    // A broker acknowledges what is in its memory. Where no other has it too, a power cut would take back what the
    // checkpoint has passed; so it is on the disk first.
    ...(replication === 1 ? { [FLUSH]: 1 } : {}),
  }
}

const FLUSH = 'flush.messages'

/** Does nothing where somebody else made it meanwhile. */
async function create(
  admin: Admin,
  { topic, partitions, settings }: WantedTopic,
  replication: number,
): Promise<void> {
  const config: ITopicConfig = {
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value: `${value}` })),
  }
  await admin.createTopics({ topics: [config], waitForLeaders: false, timeout: TIMEOUT_MS / 2 })
}

async function verify(
  admin: Admin,
  { topic, settings, ...wanted }: WantedTopic,
  replication: number,
): Promise<void> {
  const { partitions, replicas } = await sizeOf(admin, topic)
  if (partitions !== wanted.partitions) {
    throw new OperatorError(
      `KAFKA_PARTITIONS is ${wanted.partitions}, but the topic ${topic} has ${partitions}: ` +
        `set KAFKA_PARTITIONS=${partitions}, for another number would put a row's next changes ` +
        'into another partition and lose their order; or stop every cdc-indexer and run "repartition", ' +
        `which makes topics with ${wanted.partitions}`,
    )
  }
  // Before the settings: of fewer replicas than `min.insync.replicas` a topic would take nothing any more.
  if (replicas < replication) {
    throw new OperatorError(
      `KAFKA_REPLICATION is ${replication}, but the topic ${topic} has ${replicas}: give each of its partitions ` +
        `${replication} brokers with kafka-reassign-partitions.sh, or set KAFKA_REPLICATION=${replicas}`,
    )
  }
  const configNames = Object.keys(settings)
  const { resources } = await onceKnown(() =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames }],
    }),
  )
  const actual = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  )
  const wrong = Object.entries(settings).filter(([name, wanted]) => {
    const value = actual.get(name)
    if (value === undefined) return false
    if (typeof wanted === 'string') return value !== wanted
    return name === FLUSH ? Number(value) > wanted : Number(value) < wanted
  })
  if (wrong.length > 0) {
    const has = wrong.map(([name]) => `${name}=${actual.get(name)}`).join(', ')
    const set = wrong.map(([name, wanted]) => `${name}=${wanted}`).join(',')
    throw new OperatorError(
      `the topic ${topic} has ${has} and would lose changes: run ` +
        `kafka-configs.sh --alter --topic ${topic} --add-config ${set}`,
    )
  }
}

/** A topic that was just made is not known to every broker at once, nor led at once. */
function onceKnown<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + TIMEOUT_MS / 2
  return retry(ask, {
    baseMs: 100,
    capMs: 1_000,
    isTransient: (error) =>
      YOUNG_TOPIC.has(brokerErrorType(error) ?? '') && performance.now() < deadline,
  })
}

/** How many partitions a topic has, and how many replicas the one with the fewest. */
async function sizeOf(admin: Admin, topic: string) {
  const { topics } = await onceKnown(() => admin.fetchTopicMetadata({ topics: [topic] }))
  const partitions = topics[0]?.partitions ?? []
  return {
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  }
}

function explain(error: unknown, client: KafkaClient, options: MigrateTopicsOptions): unknown {
  if (error instanceof OperatorError) return error
  const type = brokerErrorType(error)
  if (type === 'INVALID_REPLICATION_FACTOR') {
    return new OperatorError(
      `KAFKA_REPLICATION is ${options.replication}, more than the cluster has brokers: set it lower`,
      1,
      { cause: error },
    )
  }
  const explained = explainKafkaError(client, error)
  if (explained !== null) return new OperatorError(explained, 1, { cause: error })
  return new OperatorError(
    `Kafka at ${client.brokers.join(',')} ${type ? `refused: ${type}` : 'is not reachable'}; ` +
      'check KAFKA_BROKERS and that it is running',
    1,
    { cause: error },
  )
}
