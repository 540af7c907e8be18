import { backoffMs } from '../../async/retry'
import { termText } from '../../domain/search-terms'
import { textHash } from '../../domain/text-hash'
import { withoutQuoted } from '../../errors/driver-error'
import { storeUnavailable } from '../../errors/sns-error'
import { StoreHalted } from '../../errors/store-halted'
import type { ApplyResult, SearchChange, SearchDocument } from '../../ports/search-index'
import type { ElasticsearchClient } from './client'
import { indexHaltReason } from './halts'
import { hasAlias, type IndexNames } from './index-definitions'

export interface BulkOptions {
  /** Aliases: an index without one is not written. */
  readonly names: IndexNames
  /** Limits of one request. */
  readonly maxBytes?: number
  readonly maxItems?: number
  /** Requests at the same time. */
  readonly concurrency?: number
}

/** A change as the lines of a bulk request. */
interface BulkItem {
  readonly change: SearchChange
  readonly lines: string
}

/** What happened to an item; `retry` where the document is not at fault. */
type Outcome = 'applied' | 'stale' | 'retry' | { readonly rejected: string }

const MAX_BYTES = 5_000_000
/** Of UTF-8, of a UTF-16 code unit, at most: counting them exactly costs as much as making many a line. */
const BYTES_PER_UNIT = 3
const MAX_ITEMS = 1_000
const CONCURRENCY = 4
const ATTEMPTS = 5
const BACKOFF = { baseMs: 100, capMs: 3_000 }
const TIMEOUT_MS = 30_000

/**
 * Writes changes with external versions, deletes too, so that the newest version of a document stays
 * whatever the order. Of changes to one document with the same version in one call, any may stay.
 */
export async function applyBulk(
  client: ElasticsearchClient,
  changes: readonly SearchChange[],
  options: BulkOptions,
): Promise<ApplyResult> {
  await refuseToMakeIndexes(client, changes, options.names)
  const batches = inBatches(changes, options)
  const results: ApplyResult[] = []
  const worker = async () => {
    for (let batch = batches.next(); !batch.done; batch = batches.next()) {
      results.push(await sendUntilDone(client, batch.value))
    }
  }
  await Promise.all(Array.from({ length: options.concurrency ?? CONCURRENCY }, worker))
  return {
    applied: results.reduce((sum, result) => sum + result.applied, 0),
    stale: results.reduce((sum, result) => sum + result.stale, 0),
    rejected: results.flatMap((result) => result.rejected),
  }
}

/**
 * Elasticsearch makes a missing index for a delete with an external version, whatever `require_alias`
 * says: an index without our mapping, in the alias's place.
 */
async function refuseToMakeIndexes(
  client: ElasticsearchClient,
  changes: readonly SearchChange[],
  names: IndexNames,
): Promise<void> {
  const kinds = new Set(changes.flatMap((change) => (change.op === 'delete' ? [change.kind] : [])))
  for (const kind of kinds) {
    const alias = names[kind]
    if (await hasAlias(client, alias)) continue
    throw storeUnavailable('elasticsearch', new Error(`there is no index ${alias}: run migrate`))
  }
}

function* inBatches(
  changes: readonly SearchChange[],
  { names, maxBytes = MAX_BYTES, maxItems = MAX_ITEMS }: BulkOptions,
): Generator<BulkItem[], undefined> {
  let batch: BulkItem[] = []
  let bytes = 0
  for (const change of changes) {
    const lines = bulkLines(change, names)
    const size = lines.length * BYTES_PER_UNIT
    if (batch.length > 0 && (bytes + size > maxBytes || batch.length >= maxItems)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push({ change, lines })
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Versions are written as digits: a JavaScript number could not hold them. */
function bulkLines(change: SearchChange, names: IndexNames): string {
  const { kind, id } = change.op === 'index' ? change.document : change
  const index = names[kind]
  const action = `{"${change.op}":{"_index":${JSON.stringify(index)},"_id":"${id}","version":${change.version},"version_type":"external_gte"}}\n`
  return change.op === 'delete'
    ? action
    : `${action}${JSON.stringify(documentSource(change.document))}\n`
}

/** What is kept of a document. */
export function documentSource(document: SearchDocument) {
  if (document.kind === 'post') {
    const { id, authorId, createdAt, text } = document
    return { id, authorId, createdAt, text, textHash: textHash(text), grams: termText(text) }
  }
  const { id, username, displayName } = document
  return { id, username: username.toLowerCase(), grams: termText(displayName) }
}

/** Sends a batch, then repeats the items that Elasticsearch could not take yet. */
async function sendUntilDone(
  client: ElasticsearchClient,
  batch: readonly BulkItem[],
): Promise<ApplyResult> {
  let left = batch
  let applied = 0
  let stale = 0
  const rejected: { change: SearchChange; reason: string }[] = []
  for (let attempt = 1; ; attempt += 1) {
    const answers = await send(client, left)
    const again: BulkItem[] = []
    let reason = 'the answer misses an item'
    let halt: string | null = null
    for (const [at, item] of left.entries()) {
      const answer = answers[at]
      const outcome = answer === undefined ? 'retry' : outcomeOf(item.change, answer)
      if (outcome === 'applied') applied += 1
      else if (outcome === 'stale') stale += 1
      else if (outcome === 'retry') {
        again.push(item)
        if (answer?.error) reason = reasonOf(answer.error)
        halt ??= answer?.error ? haltOf(answer.status, answer.error) : null
      } else rejected.push({ change: item.change, reason: outcome.rejected })
    }
    if (again.length === 0) return { applied, stale, rejected }
    if (attempt === ATTEMPTS) {
      throw halt === null
        ? storeUnavailable('elasticsearch', new Error(reason))
        : new StoreHalted(halt)
    }
    left = again
    client.countRetry()
    await Bun.sleep(backoffMs(attempt, BACKOFF))
  }
}

async function send(
  client: ElasticsearchClient,
  batch: readonly BulkItem[],
): Promise<readonly (ItemAnswer | undefined)[]> {
  // A raw request: the typed call would parse the lines, and with them versions that no number holds.
  const { items = [] } = await client.call(
    (api, options) =>
      api.transport.request<BulkAnswer>(
        {
          method: 'POST',
          path: '/_bulk',
          querystring: {
            // Without it, a missing index would be made on the fly, without our mapping.
            require_alias: true,
            filter_path:
              'items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.type',
          },
          bulkBody: batch.map((item) => item.lines).join(''),
        },
        options,
      ),
    { timeoutMs: TIMEOUT_MS },
  )
  return items.map((item) => item.index ?? item.delete)
}

/** What of a bulk answer `filter_path` lets through. */
interface BulkAnswer {
  readonly items?: readonly Readonly<Partial<Record<SearchChange['op'], ItemAnswer>>>[]
}

interface ItemAnswer {
  readonly status?: number
  readonly error?: BulkError
}

interface BulkError {
  readonly type?: string
  readonly reason?: string
  readonly caused_by?: { readonly type?: string }
}

/**
 * Errors that say the document itself can never be indexed: a value does not fit its field, a term
 * is too long.
 */
const POISON = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'max_bytes_length_exceeded_exception',
])

/**
 * 409 says that the index holds a newer version. A delete that finds nothing leaves its version behind
 * all the same. The rest passes or is mended, though much of it is a 400 as well: no room, a lost shard, a block,
 * a closed index, an alias that is missing or has no index to write to, a mapping that lacks a field.
 */
function outcomeOf(change: SearchChange, { status = 0, error }: ItemAnswer): Outcome {
  if (status >= 200 && status < 300) return 'applied'
  if (status === 404 && error === undefined && change.op === 'delete') return 'applied'
  if (status === 409) return 'stale'
  const types = [error?.type, error?.caused_by?.type]
  if (error && status === 400 && types.some((type) => type !== undefined && POISON.has(type))) {
    return { rejected: reasonOf(error) }
  }
  return 'retry'
}

function haltOf(status = 0, { type, reason }: BulkError): string | null {
  return indexHaltReason({ status, type, reason: reason && withoutQuoted(reason) })
}

/** Without the value that does not fit, which Elasticsearch quotes. */
function reasonOf({ type, reason }: BulkError): string {
  return withoutQuoted(`${type}: ${reason}`)
}
