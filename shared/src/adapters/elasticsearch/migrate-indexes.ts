import type { estypes } from '@elastic/elasticsearch'
import { explainCertificateError } from '../../errors/certificate-error'
import { OperatorError } from '../../errors/operator-error'
import { isSnsError } from '../../errors/sns-error'
import { type ElasticsearchClient, ElasticsearchRefusal } from './client'
import {
  hasAlias,
  type IndexDefinition,
  indexDefinitions,
  type NewIndexOptions,
  ownAlias,
  spareAlias,
} from './index-definitions'

export interface MigrateIndexesOptions {
  readonly prefix: string
  readonly newIndex: NewIndexOptions
  /** Told of each index when it is ready. */
  readonly onProgress?: (index: string, done: number, total: number) => void
}

const OLDEST_MAJOR = 8
const CREATE_TIMEOUT_MS = 30_000

/**
 * Makes the indexes and their aliases where they are missing and adds fields that they lack; leaves their settings as
 * they are. Idempotent; two at once do no harm. Throws an `OperatorError` where Elasticsearch is away, too old,
 * or lacks the Korean analyzer.
 */
export async function migrateIndexes(
  client: ElasticsearchClient,
  { prefix, newIndex, onProgress = () => {} }: MigrateIndexesOptions,
): Promise<void> {
  await checkServer(client)
  const definitions = indexDefinitions(prefix, newIndex)
  for (const [at, definition] of definitions.entries()) {
    await ensureIndex(client, definition)
    onProgress(definition.index, at + 1, definitions.length)
  }
}

async function checkServer(client: ElasticsearchClient): Promise<void> {
  const version = await serverVersion(client)
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw new OperatorError(
      `Elasticsearch at ${client.url} is version ${version}; ${OLDEST_MAJOR} or later is needed`,
    )
  }
  try {
    await client.call(
      (api, options) => api.indices.analyze({ tokenizer: 'nori_tokenizer', text: '가' }, options),
      { expected: [400, 403] },
    )
  } catch (error) {
    if (!(error instanceof ElasticsearchRefusal)) throw error
    // Beside an index, only who manages the cluster may ask: a key of no more than the indexes hears of it from these.
    if (error.status !== 403) throw lacksKorean(client)
  }
}

function lacksKorean(client: ElasticsearchClient): OperatorError {
  return new OperatorError(
    `Elasticsearch at ${client.url} lacks the Korean analyzer: run \`elasticsearch-plugin install analysis-nori\` on each of its nodes and restart them`,
  )
}

async function serverVersion(client: ElasticsearchClient): Promise<string> {
  try {
    const { version } = await client.call((api, options) => api.info({}, options), {
      expected: [401, 403],
    })
    return version.number
  } catch (error) {
    if (error instanceof ElasticsearchRefusal) {
      throw new OperatorError(
        `Elasticsearch at ${client.url} refuses our credentials: check ES_ID and ES_PASSWORD, or ES_API_KEY`,
      )
    }
    if (!isSnsError(error, 'store_unavailable')) throw error
    const why = explainCertificateError(error)
    if (why) {
      throw new OperatorError(
        `ES_CA: the certificate of Elasticsearch at ${client.url} is not accepted (${why})`,
        1,
        { cause: error },
      )
    }
    throw new OperatorError(
      `Elasticsearch at ${client.url} is not reachable: check ES_URL, or ES_HOST and ES_PORT, and that it runs`,
      1,
      { cause: error },
    )
  }
}

/**
 * Makes the index, with its alias, where the alias is missing, and adds the fields that it and the spare ones lack. The
 * settings of an index that is there are its operator's.
 */
export async function ensureIndex(
  client: ElasticsearchClient,
  definition: IndexDefinition,
): Promise<void> {
  const { alias, index, mappings } = definition
  if (!(await hasAlias(client, alias))) {
    try {
      await createIndex(client, definition, { [alias]: { is_write_index: true } })
    } catch (error) {
      if (!(error instanceof ElasticsearchRefusal)) throw error
      await explainRefusal(client, alias, index, error)
    }
  }
  await addFields(client, alias, mappings.properties ?? {})
}

/**
 * Adds what an earlier version did not write: without it, documents that have it are refused. Asks for nothing where
 * nothing is lacking: an index whose disk is full takes no mapping, and an upgrade need not wait for that.
 */
async function addFields(
  client: ElasticsearchClient,
  alias: string,
  properties: Record<string, estypes.MappingProperty>,
): Promise<void> {
  const all = [alias, spareAlias(alias, 'next'), spareAlias(alias, 'previous')]
  const found = await client.call((api, options) =>
    api.indices.getMapping({ index: all, ignore_unavailable: true }, options),
  )
  for (const [index, { mappings }] of Object.entries(found)) {
    const known = mappings.properties ?? {}
    if (Object.keys(properties).every((field) => field in known)) continue
    await client.call((api, options) => api.indices.putMapping({ index, properties }, options))
  }
}

/** Errors: those of `ElasticsearchClient.call`; a refusal where the index is there. */
export async function createIndex(
  client: ElasticsearchClient,
  { index, settings, mappings }: IndexDefinition,
  aliases: Record<string, estypes.IndicesAlias>,
): Promise<void> {
  await client.call(
    (api, options) =>
      api.indices.create(
        {
          index,
          settings: { index: settings },
          mappings,
          aliases: { ...aliases, [ownAlias(index)]: {} },
        },
        options,
      ),
    { expected: [400], timeoutMs: CREATE_TIMEOUT_MS },
  )
}

/** Another migrate may have made the index a moment ago, alias and all; anything else is for the operator. */
async function explainRefusal(
  client: ElasticsearchClient,
  alias: string,
  index: string,
  { type, reason }: ElasticsearchRefusal,
): Promise<void> {
  if (type === 'resource_already_exists_exception') {
    if (await hasAlias(client, alias)) return
    throw new OperatorError(
      `Elasticsearch has an index ${index} without its alias ${alias}: add the alias, or delete the index, and run migrate again`,
    )
  }
  if (type === 'validation_exception') {
    throw new OperatorError(
      `Elasticsearch refuses the index ${index}: ${reason}; check ES_SHARDS and ES_REPLICAS, and how many shards its nodes may hold`,
    )
  }
  if (reason?.includes('nori')) throw lacksKorean(client)
  throw new OperatorError(
    `Elasticsearch refuses the index ${index}: ${reason}; check KEY_PREFIX, and that nothing else is called ${alias}`,
  )
}
