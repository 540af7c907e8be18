/** Who gave a transaction its number: a server or a group, and the tag if it has one. */
export function sourceOf(gtid: string): string {
  return gtid.slice(0, gtid.lastIndexOf(':'))
}

/** Its number among that source's. */
export function numberOf(gtid: string): number {
  return Number(gtid.slice(gtid.lastIndexOf(':') + 1))
}

/** Transactions of one source that follow on one another. */
export interface GtidRange {
  readonly source: string
  readonly first: number
  readonly last: number
}

/** The ranges of a GTID set, as the server writes it: `uuid:1-5:8:tag:1-3,uuid:1`. */
export function rangesOf(gtidSet: string): readonly GtidRange[] {
  const ranges: GtidRange[] = []
  for (const entry of gtidSet.replace(/\s/g, '').split(',')) {
    const [uuid = '', ...parts] = entry.toLowerCase().split(':')
    let source = uuid
    for (const part of parts) {
      if (!/^\d/.test(part)) {
        source = `${uuid}:${part}`
        continue
      }
      const [first = 0, last = first] = part.split('-').map(Number)
      ranges.push({ source, first, last })
    }
  }
  return ranges
}

/** Whether a transaction is in a set. */
export function includes(gtidSet: string, gtid: string): boolean {
  const [source, number] = [sourceOf(gtid), numberOf(gtid)]
  return rangesOf(gtidSet).some(
    (range) => range.source === source && range.first <= number && number <= range.last,
  )
}

/** The highest number of a source in a set; 0 where there is none. */
export function highestOf(gtidSet: string, source: string): number {
  let highest = 0
  for (const range of rangesOf(gtidSet)) {
    if (range.source === source) highest = Math.max(highest, range.last)
  }
  return highest
}

/** The highest number that any source has in a set. */
export function highestNumber(gtidSet: string): number {
  let highest = 0
  for (const { last } of rangesOf(gtidSet)) highest = Math.max(highest, last)
  return highest
}
