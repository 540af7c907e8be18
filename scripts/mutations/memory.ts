import type { Mutation } from './mutation'

const MEMORY = 'services/api/src/memory'
const COHERENT = `${MEMORY}/coherent-cache.ts`
const PIECES = `${MEMORY}/post-pieces.ts`
const ANNOUNCED = `${MEMORY}/announced-stores.ts`
const INTERRUPTED = `${MEMORY}/interrupted-pages.test.ts`
const PIECES_TEST = `${MEMORY}/post-pieces.test.ts`

/** Of what a process keeps: at its bounds, and where something changes in the midst of a read. */
export const MEMORY_MUTATIONS: readonly Mutation[] = [
  {
    name: 'memory: a page is made of what may be kept',
    file: PIECES,
    find: 'for (const at of missing) found[at] = read.get(ids[at] as PostId)?.piece ?? null',
    replace: `void read
      for (const at of missing) found[at] = cache.current()?.peek(ids[at] as PostId)?.piece ?? null`,
    tests: [INTERRUPTED],
  },
  {
    name: 'memory: a load returns what was kept of it',
    file: COHERENT,
    find: 'return found\n      })\n      .finally',
    replace:
      'return new Map([...found].filter(([key]) => store.peek(key)))\n      })\n      .finally',
    tests: [INTERRUPTED],
  },
  {
    name: 'memory: who waits for a load of others takes what was kept of it',
    file: COHERENT,
    find: 'const loaded = await entries',
    replace: `await entries
          const loaded = new Map(wanted.map((key) => [key, store.peek(key) as Value]))`,
    tests: [`${MEMORY}/coherent-cache.test.ts`],
  },
  {
    name: 'memory: a load that leaves something out makes a page without it',
    file: COHERENT,
    find: 'if (value === undefined) throw',
    replace: 'if (value === null) throw',
    tests: [`${MEMORY}/coherent-cache.test.ts`],
  },
  {
    name: 'memory: a load of before a change serves who asks after it',
    file: COHERENT,
    find: 'store.delete(key)\n      inProgress.delete(key)',
    replace: 'store.delete(key)',
    tests: [`${MEMORY}/coherent-cache.test.ts`],
  },
  {
    name: 'memory: a load of another belief serves who asks under this one',
    file: COHERENT,
    find: 'if (other?.reading && other.belief === belief && joins(other.reading.stamp, key)) {',
    replace: 'if (other?.reading && joins(other.reading.stamp, key)) {',
    tests: [`${MEMORY}/coherent-cache.test.ts`],
  },
  {
    name: 'memory: each who waits reads for themselves',
    file: COHERENT,
    find: 'if (other?.reading && other.belief === belief && joins(other.reading.stamp, key)) {',
    replace: 'if (other?.reading && other.belief !== belief) {',
    tests: [`${MEMORY}/coherent-cache.test.ts`],
  },
  {
    name: 'memory: a row too many before the rows grow',
    file: `${MEMORY}/piece-cache.ts`,
    find: 'if ((row + 1) * ROW > rows.length) {',
    replace: 'if (row * ROW > rows.length) {',
    tests: [`${MEMORY}/piece-cache.test.ts`],
  },
  {
    name: 'memory: rows are lost when they grow',
    file: `${MEMORY}/piece-cache.ts`,
    find: 'more.set(rows)',
    replace: '',
    tests: [`${MEMORY}/piece-cache.test.ts`],
  },
  {
    name: 'memory: a like during a read is forgotten',
    file: PIECES,
    find: 'if (heard.length === 0) return',
    replace: 'if (heard.length >= 0) return',
    tests: [PIECES_TEST],
  },
  {
    name: 'memory: likes beside more than ten thousand liked posts are forgotten',
    file: PIECES,
    find: 'for (const each of counted.keys()) cache.invalidate(each)',
    replace: '',
    tests: [PIECES_TEST],
  },
  {
    name: 'memory: who likes shares a read of before',
    file: PIECES,
    find: 'return now < start.at + COUNTS_TRAIL_MS && (change.by.get(viewer) ?? 0) <= start.counts',
    replace: 'return now < start.at + COUNTS_TRAIL_MS',
    tests: [PIECES_TEST],
  },
  {
    name: 'memory: names from before ten thousand others changed are used',
    file: PIECES,
    find: 'renamedAt.clear()\n      namesFrom = names',
    replace: 'renamedAt.clear()',
    tests: [PIECES_TEST],
  },
  {
    name: 'memory: a read of before a name changed is shared',
    file: PIECES,
    find: 'if (start.names !== names) return false',
    replace: '',
    tests: [PIECES_TEST],
  },
  {
    name: 'memory: likes older than the newest thousand are not looked up',
    file: `${MEMORY}/reactions.ts`,
    find: 'ids.filter((id) => id < floor)',
    replace: 'ids.filter((id) => id < floor && id < 0)',
    tests: [`${MEMORY}/old-likes.test.ts`],
  },
  {
    name: 'memory: a like leaves what is cached of likes',
    file: `${MEMORY}/reactions.ts`,
    find: "change.kind === 'reactions' || change.kind === 'viewer'",
    replace: "change.kind === 'viewer'",
    tests: [`${MEMORY}/reactions.test.ts`],
  },
  {
    name: 'memory: a like makes the follows be read again',
    file: `${MEMORY}/versioned-cache.ts`,
    find: "if (change.kind === 'viewer') cache",
    replace: "if (change.kind === 'viewer' || change.kind === 'reactions') cache",
    tests: [`${MEMORY}/relations.test.ts`],
  },
  {
    name: 'memory: merged authors are taken after the account',
    file: 'services/api/src/modules/feed/feed.ts',
    find: 'await merged.of(mergedAuthors, isSeen)',
    replace: 'await merged.of(merged.authors() ?? [], isSeen)',
    tests: [`${MEMORY}/barrier.test.ts`],
  },
  {
    name: 'memory: a view that is read under another version is shared',
    file: `${MEMORY}/versioned-cache.ts`,
    find: 'joins: (other) => other === graphVersion',
    replace: 'joins: () => true',
    tests: [`${MEMORY}/relations.test.ts`],
  },
  {
    name: 'memory: the reuse of a refresh token is not announced',
    file: ANNOUNCED,
    find: 'if (error instanceof RefreshTokenReused) await announce([viewer(error.userId)])',
    replace: 'void RefreshTokenReused',
    tests: [`${MEMORY}/announced-stores.test.ts`],
  },
  {
    name: 'memory: the deletion of a comment is not announced',
    file: ANNOUNCED,
    find: "await announce([{ kind: 'engagement', post, by: author }])",
    replace: '',
    tests: [`${MEMORY}/announced-stores.test.ts`],
  },
]
