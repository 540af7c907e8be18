/** The sum over all label sets of a series in Prometheus' text format; 0 where it is absent. */
export function samples(text: string, name: string): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line)
    if (match?.[1] === name) sum += Number(match[2])
  }
  return sum
}
