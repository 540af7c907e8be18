import { whenAborted } from '@sns/shared/async/sleep'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { ChangeEnvelope, ChangeEvent, Operation } from '@sns/shared/events/change-event'
import { changeOf } from '@sns/shared/events/change-record'
import type { CapturedTable, RowOf } from '@sns/shared/events/tables'
import type { ChangeLog, ConsumeOptions } from '@sns/shared/ports/change-log'
import type { IndexedTable } from '../search-change'

interface TestChange<T extends CapturedTable> {
  readonly op: Operation
  readonly before?: RowOf<T>
  readonly after?: RowOf<T>
  readonly transaction?: ChangeEnvelope['transaction']
}

/** The change that the nth transaction made. */
export function change<T extends CapturedTable>(
  table: T,
  sequence: number,
  { op, before, after, transaction = null }: TestChange<T>,
): ChangeEvent<T> {
  return changeOf(op, before ?? null, after ?? null, {
    source: {
      connector: 'mysql',
      db: 'sns',
      table,
      ts_ms: 4_000,
      gtid: `00000000-0000-0000-0000-000000000000:${sequence}`,
      file: 'binlog.000001',
      pos: sequence * 100,
      row: 0,
      snapshot: op === 'r' ? 'true' : 'false',
      epoch: 0,
    },
    ts_ms: 5_000,
    transaction,
  })
}

export function postRow(id: number, text: string): RowOf<'posts'> {
  return {
    id: id as PostId,
    author_id: 9 as UserId,
    text,
    version: 1,
    created_at: 1_000,
    edited_at: null,
    updated_at: 1_000,
  }
}

export function userRow(id: number, username: string, displayName: string): RowOf<'users'> {
  return {
    id: id as UserId,
    username,
    display_name: displayName,
    created_at: 1_000,
    updated_at: 1_000,
  }
}

/** A log that holds what it is given, hands a batch over again when it fails, and tells when all of it is done. */
export function createScriptedChangeLog(
  batches: readonly (readonly ChangeEvent<IndexedTable>[])[],
  onEnd: () => void,
): Pick<ChangeLog, 'consume' | 'backlog'> & {
  readonly options: Pick<ConsumeOptions, 'group' | 'tables'>[]
} {
  const seen: Pick<ConsumeOptions, 'group' | 'tables'>[] = []
  return {
    options: seen,
    async consume(options) {
      seen.push(options)
      for (const batch of batches) {
        for (let attempt = 1; !options.signal.aborted; attempt += 1) {
          try {
            await options.handle(batch as never[], options.signal)
            break
          } catch (error) {
            options.onRetry?.(error, attempt, 0)
          }
        }
      }
      onEnd()
      await whenAborted(options.signal)
    },
    backlog: async () => 42,
  }
}
