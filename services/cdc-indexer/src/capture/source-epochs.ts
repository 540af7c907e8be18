import { OperatorError } from '@sns/shared/errors/operator-error'
import { EPOCH_SEQUENCES, MAX_SEQUENCE, SEQUENCE_LEAP } from '@sns/shared/events/change-event'
import { type GtidRange, numberOf, sourceOf } from '@sns/shared/events/gtid'
import type { SourceEpochs } from './ports/binlog-source'
import type { PublishedTransaction } from './ports/change-publisher'

export const NO_EPOCHS: SourceEpochs = { last: 0, starts: {} }

/** Counts the transactions of one stream. */
export interface SequenceCounter {
  /** What the transaction has, if it is the next one. Throws an `OperatorError` where the count has no room left. */
  of(gtid: string): number
  /** The transaction has ended. */
  pass(gtid: string, sequence: number): void
  /** The highest so far. */
  last(): number
  /** As it is now. */
  epochs(): SourceEpochs
}

/**
 * A source that writes on keeps its epoch. A new one begins where the count would not grow: the source is unknown, or
 * another one has written since, or its own numbers went back, as they do when another member of a group writes, or
 * when a server that lost its last transactions uses their numbers again.
 *
 * Members of a group write transactions that were committed at once into their logs in orders of their own. So what was
 * `published` from the log of another server keeps the count that it had there.
 */
export function createSequenceCounter(
  from: SourceEpochs,
  published: readonly PublishedTransaction[] = [],
): SequenceCounter {
  const counts = new Map(published.map(({ gtid, sequence }) => [gtid, sequence]))
  const starts = new Map(Object.entries(from.starts))
  let { last } = from

  return {
    of(gtid) {
      const before = counts.get(gtid)
      if (before !== undefined) return before
      const counted = (starts.get(sourceOf(gtid)) ?? 0) + numberOf(gtid)
      const sequence = counted > last && counted - last <= SEQUENCE_LEAP ? counted : last + 1
      if (sequence <= MAX_SEQUENCE) return sequence
      throw new OperatorError(
        'the versions of documents are used up: choose another KEY_PREFIX, so that topics and indexes begin anew',
      )
    },
    pass(gtid, sequence) {
      starts.set(sourceOf(gtid), sequence - numberOf(gtid))
      last = Math.max(last, sequence)
    },
    last: () => last,
    epochs: () => ({ last, starts: Object.fromEntries(starts) }),
  }
}

/**
 * The count of the last transaction of a set of which the counted ones have passed: `unseen` is the rest of it. Null
 * where that cannot be told yet, as another source has written since.
 */
export function sequenceAfter(
  { last, starts }: SourceEpochs,
  unseen: readonly GtidRange[],
): number | null {
  const [range, ...others] = unseen
  if (!range) return last
  const start = starts[range.source]
  if (others.some(({ source }) => source !== range.source) || start === undefined) return null
  const lowest = Math.min(...unseen.map(({ first }) => first))
  const highest = Math.max(...unseen.map((each) => each.last))
  const isGrowing = start + lowest > last && start + highest - last <= SEQUENCE_LEAP
  return isGrowing ? start + highest : null
}

/** The epochs that a checkpoint of an earlier release stands for: one server, whose numbers followed on an epoch. */
export function epochsOfServer(serverId: string, epoch: number, highest: number): SourceEpochs {
  const start = epoch * EPOCH_SEQUENCES
  return { last: start + highest, starts: { [serverId]: start } }
}
