import {
  createSnapshotRequests,
  MAX_EPOCH,
  type SnapshotReport,
  type SnapshotRequests,
} from '@sns/cdc-indexer/capture/mysql/snapshot-requests'
import { generationGroup } from '@sns/cdc-indexer/index/indexer'
import { sleep } from '@sns/shared/async/sleep'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { type CapturedTable, capturedTables, isCapturedTable } from '@sns/shared/events/tables'
import type { FreshnessFence } from '@sns/shared/ports/freshness-fence'
import type { SearchKind } from '@sns/shared/ports/search-index'
import type { Backend } from '@sns/shared/runtime/backend-ports'
import { consumerGroups } from '@sns/shared/runtime/consumer'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { misused, readCommandLine, withHelp } from './process/command-line'
import { onServers } from './process/server-command'
import { createProgress, type Progress } from './progress'
import { sweep } from './search/sweep'

const LINE = COMMAND_LINES.snapshot
const LOOK_MS = 500
/** Which tables the search index is made from. */
const INDEXED: Partial<Record<CapturedTable, SearchKind>> = { posts: 'post', users: 'user' }

/**
 * Has capture publish the rows of tables as they are, beside what is written meanwhile, follows it, and then removes
 * from the search index what has no row. Stopping the command leaves the snapshot to capture; the next call
 * follows it again.
 */
export const snapshot: Command = async ({ args, signal }) => {
  const { tables, isStop, isFromHere, epoch } = readArguments(args)
  const command = {
    name: 'snapshot',
    role: LINE.role,
    embedded:
      'embedded, changes are logged in the database itself, and none can be missed: snapshot is for the servers',
  } as const
  await onServers(command, async (backend) => {
    const servers = await backend.forCapture()
    if (!servers) return
    await using requests = createSnapshotRequests(servers.mysql)
    if (isStop) return await stop(requests)
    if (isFromHere) await goOnFromHere(requests, servers.fence, epoch)
    else if (await requests.ask(tables)) await forgetTimelines(servers.fence)
    const progress = createProgress('rows')
    try {
      const reports = await follow(requests, tables, progress, signal)
      await sweepIndex(backend, requests, reports, signal)
    } finally {
      progress.stop()
    }
  })
}

async function stop(requests: SnapshotRequests): Promise<void> {
  const stopped = await requests.stop()
  console.log(
    stopped === 0
      ? 'no snapshot was running'
      : `stopped ${stopped} snapshots; snapshot goes on where they were`,
  )
}

async function goOnFromHere(
  requests: SnapshotRequests,
  fence: FreshnessFence,
  epoch: number,
): Promise<void> {
  const reached = await requests.goOnFromHere(capturedTables, epoch)
  await forgetTimelines(fence)
  console.log(
    `capture goes on where the binlog ends now, under epoch ${reached}; timelines are rebuilt as they are read. Start cdc-indexer: it captures every row anew`,
  )
}

/** Posts that were never pushed are missing in timelines: from the next term on nobody reads those of before. */
async function forgetTimelines(fence: FreshnessFence): Promise<void> {
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const { generation } = await fence.close()
    if (await fence.forgetServer(generation)) return
  }
  throw new OperatorError(
    'timelines could not be marked as old: apis open the fence again and again; run it again',
  )
}

/** Resolves when capture has published all rows of the tables. */
async function follow(
  requests: SnapshotRequests,
  tables: readonly CapturedTable[],
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly SnapshotReport[]> {
  let isWaiting = false
  for (;;) {
    const reports = (await requests.reports()).filter(({ table }) => tables.includes(table))
    const failed = reports.filter(({ state }) => state === 'failed')
    if (failed.length > 0) {
      throw new OperatorError(failed.map(({ table, problem }) => `${table}: ${problem}`).join('\n'))
    }
    if (reports.some(({ state }) => state === 'stopped')) {
      throw new OperatorError('another command stopped the snapshot; snapshot goes on where it was')
    }
    const unread = reports.filter(({ state }) => state === 'unread').map(({ table }) => table)
    if (unread.length > 0) {
      throw new OperatorError(
        `capture stopped at another change of ${unread.join(', ')} that it cannot read: run snapshot again`,
      )
    }
    const running = reports.filter(({ state }) => state === 'running')
    const done = reports.reduce((sum, { rows }) => sum + rows, 0)
    const isOver = running.length === 0 && (await requests.isPast(tables))
    const of = reports.reduce((sum, each) => sum + Math.max(each.of, each.rows), 0)
    progress.update('snapshot', done, isOver ? done : Math.max(of, done + 1))
    if (isOver) return reports
    if (!(await requests.isCaptured())) {
      if (!isWaiting)
        console.log('no cdc-indexer captures: the snapshot waits until one is started')
      isWaiting = true
    }
    await sleep(LOOK_MS, signal)
    if (signal.aborted) {
      throw new OperatorError(
        'the snapshot goes on without this command: snapshot follows it again, snapshot --stop stops it',
        130,
      )
    }
  }
}

/**
 * Resolves once the index has all that was published of the table. A row that went without an event leaves changes from
 * before, which must not come after the sweep.
 */
async function indexed(backend: Backend, table: CapturedTable, signal: AbortSignal): Promise<void> {
  const stores = await backend.forReindex()
  if (!stores) return
  const { id } = await stores.index.current()
  const { index } = consumerGroups(loadSettings(environment, { role: LINE.role }))
  const group = generationGroup(index, id)
  while ((await stores.changeLog.backlog(group, [table])) > 0) {
    await sleep(LOOK_MS, signal)
    if (signal.aborted) throw new OperatorError('stopped; run snapshot again to go on', 130)
  }
}

async function sweepIndex(
  backend: Backend,
  requests: SnapshotRequests,
  reports: readonly SnapshotReport[],
  signal: AbortSignal,
): Promise<void> {
  const stores = await backend.forSearchVerify()
  const removed: Record<SearchKind, number> = { post: 0, user: 0 }
  for (const report of reports) {
    const kind = INDEXED[report.table]
    if (kind && report.state === 'published') {
      if (report.isRepair) await indexed(backend, report.table, signal)
      for await (const page of sweep({ ...stores, head: requests.head }, kind)) {
        removed[kind] += page.removed
        if (signal.aborted) {
          throw new OperatorError('stopped while the index is swept; snapshot goes on there', 130)
        }
      }
    }
    await requests.finish(report)
  }
  const rows = reports.reduce((sum, each) => sum + each.rows, 0).toLocaleString('en')
  console.log(
    `${rows} rows published; ${removed.post} posts and ${removed.user} users without a row removed from the index`,
  )
}

function readArguments(args: readonly string[]) {
  const { values, positionals } = readCommandLine(LINE, args)
  const { stop: isStop = false, 'from-here': isFromHere = false, epoch = '0' } = values
  const unknown = positionals.find((table) => !isCapturedTable(table))
  if (unknown !== undefined) {
    throw misused(LINE, `"${unknown}" is none of ${capturedTables.join(', ')}`)
  }
  if ((isStop || isFromHere) && (positionals.length > 0 || (isStop && isFromHere))) {
    throw misused(LINE, '--stop and --from-here go alone')
  }
  if (!/^\d{1,2}$/.test(epoch) || Number(epoch) > MAX_EPOCH) {
    throw misused(LINE, `--epoch is "${epoch}", not a number up to ${MAX_EPOCH}`)
  }
  if (values.epoch !== undefined && !isFromHere)
    throw misused(LINE, '--epoch goes with --from-here')
  const tables = positionals.filter(isCapturedTable)
  return {
    tables: tables.length > 0 ? tables : capturedTables,
    isStop,
    isFromHere,
    epoch: Number(epoch),
  }
}

if (import.meta.main)
  await runProgram('snapshot', withHelp(LINE, snapshot), { args: process.argv.slice(2) })
