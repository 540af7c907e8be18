import type { Counter } from 'prom-client'

/** What a counter has counted, of all series or of those with these labels. */
export async function counted(
  counter: Pick<Counter, 'get'>,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { values } = await counter.get()
  return values
    .filter((each) => Object.entries(labels).every(([name, value]) => each.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
