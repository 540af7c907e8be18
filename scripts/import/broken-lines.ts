const SHOWN = 3

/** Counts lines that could not be loaded and remembers the first few, to be shown at the end. */
export interface BrokenLines {
  readonly count: number
  readonly examples: readonly string[]
  add(file: string, line: number, reason: string): void
}

export function createBrokenLines(): BrokenLines {
  let count = 0
  const examples: string[] = []
  return {
    get count() {
      return count
    },
    examples,
    add(file, line, reason) {
      count++
      if (examples.length < SHOWN) examples.push(`${file}:${line}: ${reason}`)
    },
  }
}
