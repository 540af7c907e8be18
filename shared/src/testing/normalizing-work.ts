const MARKS = /\p{M}+/gu

/**
 * The steps that normalising texts took while `work` ran: one for each UTF-16 unit, and for each run of combining marks,
 * which are sorted by insertion, the square of its length. A count, so that a busy machine changes nothing.
 */
export async function normalizingWork(work: () => unknown): Promise<number> {
  const { normalize } = String.prototype
  let steps = 0
  String.prototype.normalize = function (this: string, form?: string) {
    const text = String(this)
    steps += text.length
    for (const [run] of text.matchAll(MARKS)) steps += run.length ** 2
    return normalize.call(text, form)
  }
  try {
    await work()
  } finally {
    String.prototype.normalize = normalize
  }
  return steps
}

/** More steps than these for each unit of a text would grow with the square of its runs of marks. */
export const STEPS_PER_UNIT = 100
