import { createSnapshotRequests } from '@sns/cdc-indexer/capture/mysql/snapshot-requests'
import { createIndexer } from '@sns/cdc-indexer/index/indexer'
import { INDEXED_TABLES } from '@sns/cdc-indexer/index/search-change'
import { sleep } from '@sns/shared/async/sleep'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { systemClock } from '@sns/shared/domain/clock'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import type { IndexGeneration, SpareRole } from '@sns/shared/ports/index-generations'
import type { Backend, ReindexStores } from '@sns/shared/runtime/backend-ports'
import { consumerGroups } from '@sns/shared/runtime/consumer'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { onServers } from './process/server-command'
import { createProgress, type Progress } from './progress'
import { swapGeneration } from './reindex/generation-swap'
import { sweep } from './search/sweep'
import { verifyAll } from './search/verify'

const LINE = COMMAND_LINES.reindex
const LOOK_MS = 500
const LOOK_AGAIN_MS = 1_000

/**
 * Builds a new search index from the change log, beside the one that is read: fills it, compares it with the tables and
 * then has searches read it, in one step. What was read before is kept for `rollback`, which brings it up to date and
 * has it read again; `drop` deletes it. Searches are answered throughout. Each may be stopped and run again.
 */
export const reindex: Command = async ({ args, signal }) => {
  const { positionals } = readCommandLine(LINE, args)
  const [action = 'build', ...more] = positionals
  if (more.length > 0 || !['build', 'rollback', 'drop'].includes(action)) {
    throw misused(LINE, `there is no reindex ${positionals.join(' ')}`)
  }
  const command = {
    name: 'reindex',
    role: LINE.role,
    embedded:
      'embedded, the index is in the database and written with it: reindex is for the servers',
  } as const
  await onServers(command, async (backend) => {
    const stores = await backend.forReindex()
    if (!stores) return
    if (action === 'drop') return await drop(stores)
    const role = action === 'rollback' ? 'previous' : 'next'
    const generation =
      role === 'next' ? await stores.index.prepare() : await stores.index.spare('previous')
    if (!generation) throw new OperatorError('there is no previous index to go back to')
    const progress = createProgress('changes')
    try {
      await bringUp({ backend, stores, role, generation, progress, signal })
    } finally {
      progress.stop()
    }
  })
}

async function drop({ index }: ReindexStores): Promise<void> {
  const dropped: string[] = []
  for (const role of ['previous', 'next'] as const) {
    if (await index.drop(role)) dropped.push(role)
  }
  console.log(dropped.length > 0 ? `deleted: ${dropped.join(', ')}` : 'there was nothing to delete')
}

interface Building {
  readonly backend: Backend
  readonly stores: ReindexStores
  readonly role: SpareRole
  readonly generation: IndexGeneration
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Fills the generation until nothing is left, compares it with the tables, and has it read. */
async function bringUp(building: Building): Promise<void> {
  const { stores, role, generation, signal } = building
  const settings = loadSettings(environment, { role: LINE.role })
  const group = consumerGroups(settings).index
  const indexer = createIndexer(
    {
      ...stores,
      index: { current: async () => generation },
      metrics: createMetrics(),
      logger: createLogger('reindex', 'warn'),
      clock: systemClock,
    },
    { group },
  )
  const left = () => stores.changeLog.backlog(`${group}.${generation.id}`, INDEXED_TABLES)
  const stop = new AbortController()
  const filling = indexer.run(AbortSignal.any([stop.signal, signal]))
  const swap = swapGeneration(
    {
      catchUp: () => catchUp(building, left),
      removeExtra: () => removeExtra(building),
      verify: () => verify(building),
      promote: () => stores.index.promote(role),
    },
    ({ read, compared }) =>
      console.log(
        `${read.toLocaleString('en')} changes read, ${compared.toLocaleString('en')} rows and documents compared: searches read the ${role === 'next' ? 'new' : 'previous'} index now`,
      ),
  )
  try {
    // An indexer that fails for good would leave the other waiting for it.
    await Promise.race([swap, filling.then(() => new Promise<never>(() => {}))])
  } finally {
    stop.abort()
    await filling.catch(() => {})
  }
  console.log('the other one is kept: reindex rollback goes back to it, reindex drop deletes it')
}

async function catchUp(
  { progress, signal }: Building,
  left: () => Promise<number>,
): Promise<number> {
  let most = 0
  for (;;) {
    const now = await left()
    most = Math.max(most, now)
    progress.update('fill', most - now, most)
    if (now === 0) return most
    await sleep(LOOK_MS, signal)
    stopIf(signal)
  }
}

async function removeExtra({ backend, stores, generation, signal }: Building): Promise<void> {
  const servers = await backend.forCapture()
  if (!servers) return
  await using requests = createSnapshotRequests(servers.mysql)
  const deps = { source: stores.source, search: generation.search, head: requests.head }
  for (const kind of ['user', 'post'] as const) {
    for await (const _page of sweep(deps, kind)) stopIf(signal)
  }
}

async function verify({ stores, generation, progress, signal }: Building): Promise<number> {
  const wait = () => sleep(LOOK_AGAIN_MS, signal)
  const deps = { source: stores.source, search: generation.search, wait }
  let [compared, rows, drift] = [0, 0, 0]
  await generation.search.refresh()
  for await (const page of verifyAll(deps)) {
    stopIf(signal)
    rows += page.rows
    compared += page.rows + page.documents
    drift += page.drift.length
    progress.update('verify', Math.min(rows, page.of), page.of)
  }
  if (drift === 0) return compared
  throw new OperatorError(
    `${drift} documents are not as the tables have them, so searches go on with the index of before: dlq list and snapshot tell and mend what the log lacks; then run it again`,
  )
}

function stopIf(signal: AbortSignal): void {
  if (signal.aborted) throw new OperatorError('stopped; run it again to go on', 130)
}

if (import.meta.main)
  await runProgram('reindex', withHelp(LINE, reindex), { args: process.argv.slice(2) })
