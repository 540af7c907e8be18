/** What Elasticsearch said no to: a request, or an item of a bulk. */
interface Refused {
  readonly status: number
  /** As `cluster_block_exception`. */
  readonly type: string | undefined
  /** Without user input. */
  readonly reason: string | undefined
}

/** Passing, or mended by ourselves: no master, an overloaded node, a shard on its way, an index that is made anew. */
function isPassing(status: number): boolean {
  return status === 404 || status === 408 || status === 429 || status >= 500
}

/**
 * Why Elasticsearch takes this from nobody, or not from us, until its operator acts, with what to do; null where it
 * passes by itself, or the request is at fault.
 */
export function haltReason({ status, type, reason = 'no reason given' }: Refused): string | null {
  if (type === 'cluster_block_exception') {
    // The flood stage of the disk's watermark; Elasticsearch before 7.8 said 403.
    if (reason.includes('read-only-allow-delete')) {
      return `Elasticsearch's disk is nearly full, and it made the index read-only: free space, and it takes writes again by itself (${reason})`
    }
    return isPassing(status)
      ? null
      : `a block keeps Elasticsearch from it: remove the block, as index.blocks.write (${reason})`
  }
  if (type === 'index_closed_exception') {
    return `an index of Elasticsearch is closed: open it (${reason})`
  }
  if (status === 401) {
    return 'Elasticsearch refuses our credentials: check ES_ID and ES_PASSWORD, or ES_API_KEY'
  }
  if (status === 403) {
    return `Elasticsearch does not let our user do this: give it the right (${type}: ${reason})`
  }
  return null
}

/** The same of an item whose document is not at fault: what does not pass is wrong with the index. */
export function indexHaltReason(refused: Refused): string | null {
  const { status, type, reason } = refused
  return (
    haltReason(refused) ??
    (isPassing(status) || type === undefined
      ? null
      : `the search index refuses what is right: mend it, or run reindex (${type}: ${reason})`)
  )
}
