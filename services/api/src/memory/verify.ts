import { isSnsError } from '@sns/shared/errors/sns-error'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { MemoryReport } from '@sns/shared/runtime/status-app'

/** One kind of what a process keeps, to be compared with the database. */
export interface KeptKind {
  readonly name: string
  keys(): readonly number[]
  /** What is kept of `keys` and answers readers as it is; what the next read loads anew is left out. */
  entries(keys: readonly number[]): ReadonlyMap<number, object>
  /** Whether an entry is the very one that it was; where absent, it is where it is the same object. */
  isSame?(before: object | undefined, entry: object): boolean
  /** The keys of those entries that the database contradicts. */
  differing(entries: ReadonlyMap<number, object>): Promise<readonly number[]>
}

export interface MemoryVerifyDeps {
  readonly kinds: readonly KeptKind[]
  readonly freshness: Pick<Freshness, 'barrier' | 'belief'>
  /** The wait before an entry that differs is looked at again. */
  readonly wait: () => Promise<void>
}

const BATCH = 100
/**
 * A write that was committed and not answered yet may be unheard, so an entry counts as wrong only if the
 * very same one still answers readers after this many looks.
 */
const LOOKS = 4

/**
 * Compares what a process keeps with the database: `sample` entries of each kind at random, or all of
 * them. Yields after each batch; stop taking to stop it. Errors: `store_unavailable`.
 */
export async function* verifyMemory(
  { kinds, freshness, wait }: MemoryVerifyDeps,
  sample: number,
): AsyncGenerator<MemoryReport> {
  const chosen = kinds.map((kind) => ({ kind, keys: choose(kind.keys(), sample) }))
  const of = chosen.reduce((sum, { keys }) => sum + keys.length, 0)
  let checked = 0
  yield { checked, of, differing: [], isBelieved: await isBelieved() }
  for (const { kind, keys } of chosen) {
    for (let at = 0; at < keys.length; at += BATCH) {
      const batch = keys.slice(at, at + BATCH)
      const differing = await differingOf(kind, batch)
      checked += batch.length
      yield {
        checked,
        of,
        differing: differing.map((key) => `${kind.name} ${key}`),
        isBelieved: await isBelieved(),
      }
    }
  }

  async function isBelieved(): Promise<boolean> {
    try {
      await freshness.barrier()
    } catch (error) {
      if (isSnsError(error, 'store_unavailable')) return false
      throw error
    }
    return freshness.belief() !== null
  }

  async function differingOf(kind: KeptKind, keys: readonly number[]): Promise<readonly number[]> {
    if (!(await isBelieved())) return []
    const { isSame = Object.is } = kind
    let suspects = kind.entries(keys)
    for (let look = 1; suspects.size > 0 && look <= LOOKS; look += 1) {
      if (look > 1) await wait()
      const wrong = await kind.differing(suspects)
      if (!(await isBelieved())) return []
      const now = kind.entries(wrong)
      suspects = new Map([...now].filter(([key, entry]) => isSame(suspects.get(key), entry)))
    }
    return [...suspects.keys()]
  }
}

/** As many at random, each as likely (Fisher and Yates' shuffle, ended early). */
function choose(keys: readonly number[], sample: number): readonly number[] {
  if (sample >= keys.length) return keys
  const left = [...keys]
  for (let at = 0; at < sample; at += 1) {
    const other = at + Math.floor(Math.random() * (left.length - at))
    ;[left[at], left[other]] = [left[other] ?? 0, left[at] ?? 0]
  }
  return left.slice(0, sample)
}
