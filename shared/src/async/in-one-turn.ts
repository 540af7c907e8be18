import { yieldToEventLoop } from './sleep'

export interface InOneTurnOptions<Part, Result> {
  /** The most that is done together, as `sizeOf` counts; a part that is larger is done alone. */
  readonly limit: number
  readonly sizeOf: (part: Part) => number
  readonly work: (parts: readonly Part[]) => Promise<Result>
}

/**
 * Does together what is asked for in one turn of the event loop, in the order in which it was asked for. Whoever
 * asked gets the result, or the error, of all.
 */
export function inOneTurn<Part, Result>({
  limit,
  sizeOf,
  work,
}: InOneTurnOptions<Part, Result>): (part: Part) => Promise<Result> {
  let open: { readonly parts: Part[]; size: number; readonly done: Promise<Result> } | null = null

  async function doTogether(parts: readonly Part[]): Promise<Result> {
    await yieldToEventLoop()
    if (open?.parts === parts) open = null
    return work(parts)
  }

  return (part) => {
    const size = sizeOf(part)
    if (open !== null && open.size + size <= limit) {
      open.parts.push(part)
      open.size += size
    } else {
      const parts = [part]
      open = { parts, size, done: doTogether(parts) }
    }
    return open.done
  }
}
