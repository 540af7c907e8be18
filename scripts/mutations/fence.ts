import type { Mutation } from './mutation'

const FRESHNESS = 'shared/src/adapters/redis/freshness.ts'
const RULES = 'shared/src/adapters/redis/freshness-fence-rules.test.ts'

/** Of the fence: leases, looks, and who waits for how long. */
export const FENCE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'fence: a lease is counted from the end of a look',
    file: FRESHNESS,
    find: `const at = time.now()
    const state = await act()`,
    replace: `const state = await act()
    const at = time.now()`,
    tests: [RULES],
  },
  {
    name: 'fence: an older look replaces a newer one',
    file: FRESHNESS,
    find: 'if (look === null || at >= look.at) {',
    replace: 'if (look === null || at >= 0) {',
    tests: [RULES],
  },
  {
    name: 'fence: a writer waits no longer than a lease',
    file: FRESHNESS,
    find: 'const rest = since + leaseMs * LEASE_MARGIN - time.now()',
    replace: 'const rest = since + leaseMs - time.now()',
    tests: [RULES],
  },
  {
    name: 'fence: it opens when a lease has passed, without a margin',
    file: FRESHNESS,
    find: 'time.now() - seen.closedSince > leaseMs * LEASE_MARGIN',
    replace: 'time.now() - seen.closedSince > leaseMs',
    tests: [RULES],
  },
  {
    name: 'fence: it counts as closed from the start of the look that saw it',
    file: FRESHNESS,
    find: 'isKnown && look ? look.closedSince : time.now()',
    replace: 'isKnown && look ? look.closedSince : at',
    tests: [RULES],
  },
  {
    name: 'fence: each look counts anew since when it is closed',
    file: FRESHNESS,
    find: 'isKnown && look ? look.closedSince : time.now()',
    replace: 'time.now()',
    tests: [RULES],
  },
  {
    name: 'fence: another run is reported only when a report is due',
    file: FRESHNESS,
    find: 'if (isDue || reported?.server !== run) {',
    replace: 'if (isDue) {',
    tests: [RULES],
  },
  {
    name: 'fence: a push elsewhere counts at once',
    file: FRESHNESS,
    find: `        throw storeUnavailable('redis', new Error('the fence opened during a push'))
      }
      await outlastLeases(seen.closedSince)`,
    replace: `        throw storeUnavailable('redis', new Error('the fence opened during a push'))
      }`,
    tests: [RULES],
  },
]
