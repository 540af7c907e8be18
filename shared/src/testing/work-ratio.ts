export interface WorkRatioOptions {
  readonly tries?: number
  /** The shortest time to measure, in milliseconds; below it, clock noise dominates. */
  readonly floorMs?: number
}

/**
 * How many times as long `work` takes as `reference`, by the medians of several tries that alternate,
 * so that a machine that is busy with something else slows both.
 */
export async function workRatio(
  work: () => unknown,
  reference: () => unknown,
  { tries = 7, floorMs = 0.5 }: WorkRatioOptions = {},
): Promise<number> {
  const times = { work: [] as number[], reference: [] as number[] }
  for (let at = 0; at < tries; at += 1) {
    times.reference.push(await msOf(reference))
    times.work.push(await msOf(work))
  }
  return median(times.work) / Math.max(floorMs, median(times.reference))
}

async function msOf(work: () => unknown): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
