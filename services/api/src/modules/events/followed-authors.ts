import type { UserId } from '@sns/shared/domain/id'

export type FollowedAuthors = ReturnType<typeof createFollowedAuthors>

/** Measured: a follow in the author's list and in the reader's. */
const FOLLOW_BYTES = 24
/** Measured: an author whom anybody follows. */
const AUTHOR_BYTES = 160

interface Reader {
  readonly user: UserId
  readonly slot: number
  /** In no order. */
  readonly authors: Float64Array
}

/**
 * Whose posts concern which readers, looked up by author: what a new post costs depends on how many of the readers here
 * follow its author, not on how many readers there are. Bounded by `maxBytes`: readers are numbered, since a list of
 * small numbers takes a tenth of a set.
 */
export function createFollowedAuthors(
  { maxBytes }: { readonly maxBytes: number },
  onBytes: (bytes: number) => void,
) {
  /** The slots of those who follow an author, in no order. */
  const slotsOf = new Map<UserId, number[]>()
  const readers = new Map<UserId, Reader>()
  const bySlot: (Reader | null)[] = []
  const free: number[] = []
  let bytes = 0

  function add(author: UserId, slot: number): void {
    const slots = slotsOf.get(author)
    if (slots) slots.push(slot)
    else {
      slotsOf.set(author, [slot])
      bytes += AUTHOR_BYTES
    }
  }

  function remove(author: UserId, slot: number): void {
    const slots = slotsOf.get(author)
    const at = slots?.indexOf(slot) ?? -1
    if (!slots || at < 0) return
    const last = slots.pop()
    if (last !== undefined && at < slots.length) slots[at] = last
    if (slots.length > 0) return
    slotsOf.delete(author)
    bytes -= AUTHOR_BYTES
  }

  function forget(user: UserId): void {
    const reader = readers.get(user)
    if (!reader) return
    for (const author of reader.authors) remove(author as UserId, reader.slot)
    readers.delete(user)
    bySlot[reader.slot] = null
    free.push(reader.slot)
    bytes -= reader.authors.length * FOLLOW_BYTES
    onBytes(bytes)
  }

  return {
    /** False, and nothing is known of the reader, where there is no room. */
    set(user: UserId, authors: ReadonlySet<UserId>): boolean {
      const old = readers.get(user)?.authors
      const isSame = old?.length === authors.size && old.every((id) => authors.has(id as UserId))
      if (isSame) return true
      forget(user)
      if (bytes + authors.size * (FOLLOW_BYTES + AUTHOR_BYTES) > maxBytes) return false
      const slot = free.pop() ?? bySlot.length
      const reader = { user, slot, authors: Float64Array.from(authors) }
      bySlot[slot] = reader
      readers.set(user, reader)
      for (const author of authors) add(author, slot)
      bytes += authors.size * FOLLOW_BYTES
      onBytes(bytes)
      return true
    },
    forget,
    /** The readers whom an author's posts concern; the author among them, who reads their own. */
    *readersOf(author: UserId): Generator<UserId> {
      for (const slot of slotsOf.get(author) ?? []) {
        const reader = bySlot[slot]
        if (reader) yield reader.user
      }
    },
  }
}
