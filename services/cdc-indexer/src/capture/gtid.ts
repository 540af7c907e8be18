/** The server that gave a transaction its GTID. */
export function sourceOf(gtid: string): string {
  return gtid.slice(0, gtid.indexOf(':'))
}

/** Its number among that server's. */
export function numberOf(gtid: string): number {
  return Number(gtid.slice(gtid.lastIndexOf(':') + 1))
}

/** A GTID with a tag is numbered apart from the server's others. */
export function isTagged(gtid: string): boolean {
  return gtid.indexOf(':') !== gtid.lastIndexOf(':')
}

/** The highest number among a source's untagged transactions in a set; 0 where there is none. */
export function highestOf(gtidSet: string, source: string): number {
  let highest = 0
  for (const entry of gtidSet.split(',')) {
    const [uuid = '', ...parts] = entry.trim().split(':')
    if (uuid.toLowerCase() !== source) continue
    for (const interval of parts) {
      if (!/^\d/.test(interval)) break
      highest = Math.max(highest, Number(interval.split('-').at(-1)))
    }
  }
  return highest
}
