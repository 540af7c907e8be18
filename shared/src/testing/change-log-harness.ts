import type { ChangeEnvelope } from '../events/change-event'
import type { ChangeLog, ConsumeOptions } from '../ports/change-log'
import { uniqueName } from './servers'

export interface TestChange {
  readonly table: 'posts' | 'comments'
  readonly op: 'c' | 'u' | 'd'
  readonly id: number
  readonly text: string
}

/** An empty log for one test. */
export interface ChangeLogHarness extends AsyncDisposable {
  /** Another reader of the same log, as another process would open it. */
  open(): ChangeLog
  /** Appends the changes in order; resolves when consumers can get them. */
  append(changes: readonly TestChange[]): Promise<void>
}

export type CreateChangeLogHarness = () => Promise<ChangeLogHarness>

export interface TestConsumer {
  /** Events whose `handle` resolved, as `describeEvent` has them. */
  readonly done: string[]
  /** The events of each call of `handle`. */
  readonly batches: string[][]
  readonly retries: unknown[]
  /** The number of batches begun at each join of the group. */
  readonly joins: number[]
  /** Stops the consumer and waits until it has stopped. */
  stop(): Promise<void>
}

export interface TestConsumerOptions extends Partial<Pick<ConsumeOptions, 'tables' | 'maxBatch'>> {
  readonly group?: string
  /** Runs before the events count as done. */
  readonly work?: (events: readonly string[], stop: () => void) => unknown
}

/** Consumes in the background and records the batches. */
export function startConsumer(log: ChangeLog, options: TestConsumerOptions = {}): TestConsumer {
  const stop = new AbortController()
  const consumer = {
    done: [] as string[],
    batches: [] as string[][],
    retries: [] as unknown[],
    joins: [] as number[],
  }
  const running = log.consume({
    group: options.group ?? uniqueName('group'),
    tables: options.tables ?? ['posts'],
    maxBatch: options.maxBatch ?? 100,
    signal: stop.signal,
    onMembership: (is) => is && consumer.joins.push(consumer.batches.length),
    onRetry: (error) => consumer.retries.push(error),
    async handle(events) {
      const described = events.map(describeEvent)
      consumer.batches.push(described)
      await options.work?.(described, () => stop.abort())
      consumer.done.push(...described)
    },
  })
  return {
    ...consumer,
    async stop() {
      stop.abort()
      await running
    },
  }
}

/** `posts c 7 hello`: table, operation, id and the text that the row has or had. */
function describeEvent({ source, op, before, after }: ChangeEnvelope): string {
  const row = after ?? before
  return `${source.table} ${op} ${row?.id} ${row?.text}`
}

export function describeChange({ table, op, id, text }: TestChange): string {
  return `${table} ${op} ${id} ${text}`
}

export const created = (id: number, text = 'first'): TestChange => ({
  table: 'posts',
  op: 'c',
  id,
  text,
})
