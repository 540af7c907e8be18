import { expect, test } from 'bun:test'
import type { PostId, UserId } from '../../domain/id'
import { isSnsError } from '../../errors/sns-error'
import { StoreHalted } from '../../errors/store-halted'
import { createLogger } from '../../observability/logger'
import { createMetrics } from '../../observability/metrics'
import type { SearchChange } from '../../ports/search-index'
import { applyBulk } from './bulk'
import { createElasticsearchClient } from './client'

const FLOOD =
  'index [p-posts] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];'

/** What Elasticsearch answers, and what comes of it: words where an operator must act, else what the indexer does. */
const ANSWERS: readonly (readonly [number, string, string, string | RegExp])[] = [
  [429, 'cluster_block_exception', FLOOD, /disk is nearly full.*free space/],
  [403, 'cluster_block_exception', FLOOD, /disk is nearly full.*free space/],
  [
    403,
    'cluster_block_exception',
    'blocked by: [FORBIDDEN/8/index write (api)];',
    /remove the block/,
  ],
  [
    403,
    'cluster_block_exception',
    'blocked by: [FORBIDDEN/5/index read-only (api)];',
    /remove the block/,
  ],
  [
    403,
    'cluster_block_exception',
    'blocked by: [FORBIDDEN/6/cluster read-only (api)];',
    /remove the block/,
  ],
  [503, 'cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/2/no master];', 'again'],
  [
    503,
    'cluster_block_exception',
    'blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];',
    'again',
  ],
  [400, 'index_closed_exception', 'closed', /closed: open it/],
  [
    401,
    'security_exception',
    'unable to authenticate',
    /credentials: check ES_ID and ES_PASSWORD, or ES_API_KEY/,
  ],
  [
    403,
    'security_exception',
    'action [indices:data/write/bulk[s]] is unauthorized',
    /give it the right.*unauthorized/,
  ],
  [400, 'strict_dynamic_mapping_exception', 'mapping set to strict', /index refuses.*reindex/],
  [400, 'illegal_argument_exception', 'no write index is defined', /index refuses.*no write index/],
  [400, 'something_new_exception', 'new', /index refuses.*new/],
  [429, 'circuit_breaking_exception', '[parent] Data too large', 'again'],
  [429, 'es_rejected_execution_exception', 'queue full', 'again'],
  [503, 'unavailable_shards_exception', 'primary shard is not active', 'again'],
  [404, 'index_not_found_exception', 'no such index [p-posts]', 'again'],
  [500, 'something_new_exception', 'new', 'again'],
  [400, 'document_parsing_exception', 'failed to parse field [id]', 'rejected'],
  [400, 'mapper_parsing_exception', 'failed to parse', 'rejected'],
  [409, 'version_conflict_engine_exception', 'current version is higher', 'stale'],
]

const headers = { 'x-elastic-product': 'Elasticsearch' }
const post: SearchChange = {
  op: 'index',
  version: 1n,
  document: { kind: 'post', id: 1 as PostId, authorId: 2 as UserId, text: 'x', createdAt: 3 },
}

/** What comes of a batch that a server answers so. */
async function outcome(answer: () => Response): Promise<string> {
  await using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer })
  await using client = createElasticsearchClient(
    { urls: [server.url.origin], ca: null, auth: null, verifySsl: true },
    { logger: createLogger('test', 'silent'), metrics: createMetrics() },
  )
  try {
    const { stale, rejected } = await applyBulk(client, [post], {
      names: { post: 'p-posts', user: 'p-users' },
    })
    return rejected.length > 0 ? 'rejected' : stale > 0 ? 'stale' : 'applied'
  } catch (error) {
    if (error instanceof StoreHalted) return error.message
    if (isSnsError(error, 'store_unavailable')) return 'again'
    throw error
  }
}

const name = ([status, type, reason]: (typeof ANSWERS)[number]) => `${status} ${type}: ${reason}`

test('what one item of a bulk is answered says who has to act', async () => {
  const found = await Promise.all(
    ANSWERS.map(async (row) => {
      const [status, type, reason] = row
      const items = [{ index: { status, error: { type, reason } } }]
      return [name(row), await outcome(() => Response.json({ items }, { headers }))]
    }),
  )
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(ANSWERS.map((row) => [name(row), expected(row[3])])),
  )
}, 30_000)

test('so does an answer to the whole request', async () => {
  const whole = ANSWERS.filter(
    ([status, type]) => status === 401 || type.endsWith('block_exception') || status === 429,
  )
  const found = await Promise.all(
    whole.map(async (row) => {
      const [status, type, reason] = row
      return [
        name(row),
        await outcome(() => Response.json({ error: { type, reason } }, { status, headers })),
      ]
    }),
  )
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(whole.map((row) => [name(row), expected(row[3])])),
  )
}, 30_000)

function expected(words: string | RegExp) {
  return words instanceof RegExp ? expect.stringMatching(words) : words
}
