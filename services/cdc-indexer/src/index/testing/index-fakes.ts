import type { ChangeEvent, Row } from '@sns/shared/contract/change-event'
import type { CapturedTable } from '@sns/shared/contract/tables'
import type { ChangeLog, ConsumeOptions } from '@sns/shared/ports/change-log'

/** The change that the nth transaction made. */
export function change(
  table: CapturedTable,
  sequence: number,
  event: Pick<ChangeEvent, 'op'> & Partial<ChangeEvent>,
): ChangeEvent {
  return {
    before: null,
    after: null,
    ts_ms: 5_000,
    transaction: null,
    ...event,
    source: {
      connector: 'mysql',
      db: 'sns',
      table,
      ts_ms: 4_000,
      gtid: `00000000-0000-0000-0000-000000000000:${sequence}`,
      file: 'binlog.000001',
      pos: sequence * 100,
      row: 0,
      snapshot: event.op === 'r' ? 'true' : 'false',
      epoch: 0,
      ...event.source,
    },
  }
}

export function postRow(id: number, text: string): Row {
  return {
    id,
    author_id: 9,
    text,
    version: 1,
    created_at: 1_000,
    edited_at: null,
    updated_at: 1_000,
  }
}

export function userRow(id: number, username: string, displayName: string): Row {
  return { id, username, display_name: displayName, created_at: 1_000, updated_at: 1_000 }
}

/** A log that holds what it is given and hands a batch over again when it fails. */
export function createScriptedChangeLog(
  batches: readonly (readonly ChangeEvent[])[],
): ChangeLog & { readonly options: ConsumeOptions[] } {
  const seen: ConsumeOptions[] = []
  return {
    options: seen,
    async consume(options) {
      seen.push(options)
      for (const batch of batches) {
        for (let attempt = 1; !options.signal.aborted; attempt += 1) {
          try {
            await options.handle(batch, options.signal)
            break
          } catch (error) {
            options.onRetry?.(error, attempt, 0)
          }
        }
      }
    },
    backlog: async () => 42,
  }
}
