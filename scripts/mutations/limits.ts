import type { Mutation } from './mutation'

const API = 'services/api/src'
const LIMITS = `${API}/http/rate-limits.ts`
const KEYS = `${API}/http/limit-keys.test.ts`
const COUNTED = `${API}/http/counted-first.test.ts`
const QUEUE = `${API}/security/fair-queue`
const COSTLY = `${API}/costly-requests.test.ts`
const HIDDEN = `${API}/modules/hidden.test.ts`
const ACCESS = 'shared/src/runtime/operator-access'

/** Of what nobody can do to others: spend what is theirs, hold the process up, learn what is hidden. */
export const LIMIT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'limits: passwords are counted by address, not by account',
    file: LIMITS,
    find: 'await take(shared, limits.password, String(user), limited)',
    replace: 'await take(shared, limits.password, limited.context.countedAs, limited)',
    tests: [KEYS],
  },
  {
    name: 'limits: writes are counted by address, not by account',
    file: LIMITS,
    find: ': take(shared, limits.write, String(user), limited))',
    replace: ': take(shared, limits.write, limited.context.countedAs, limited))',
    tests: [KEYS],
  },
  {
    name: 'limits: sign-ins are counted by username, whoever tries',
    file: LIMITS,
    find: '`${limited.context.countedAs} ${digest(username.toLowerCase())}`',
    replace: 'digest(username.toLowerCase())',
    tests: [KEYS],
  },
  {
    name: 'limits: what is typed as a username is a key',
    file: LIMITS,
    find: '${digest(username.toLowerCase())}',
    replace: '${username.toLowerCase()}',
    tests: [COUNTED],
  },
  {
    name: 'limits: a body is read before its request is counted',
    file: `${API}/http/body.ts`,
    find: `      await count({ context: contexts.of(request), headers: set.headers })
      return readJson(request)`,
    replace: `      const body = await readJson(request)
      await count({ context: contexts.of(request), headers: set.headers })
      return body`,
    tests: [COUNTED],
  },
  {
    name: 'limits: a token that was revoked spends its owner’s reads',
    file: `${API}/modules/feed/routes.ts`,
    find: `      const page = await feed.page(grant, query, async (viewer) => {
        if (limits.isOn) await limits.account('read', viewer, { context, headers })
      })`,
    replace: `      if (limits.isOn) await limits.account('read', grant.userId, { context, headers })
      const page = await feed.page(grant, query)`,
    tests: [COUNTED],
  },
  {
    name: 'limits: a full queue refuses whoever comes',
    file: `${QUEUE}.ts`,
    find: 'if (waitingNow >= waiting && !displaceFor(line)) throw tooMany()',
    replace: 'if (waitingNow >= waiting) throw tooMany()',
    tests: [`${QUEUE}.test.ts`],
  },
  {
    name: 'stalls: a body may nest as deeply as it likes',
    file: `${API}/http/body.ts`,
    find: 'const DEPTH_MAX = 8',
    replace: 'const DEPTH_MAX = 80_000',
    tests: [`${API}/http/body.test.ts`],
  },
  {
    name: 'stalls: a body may hold as many values as it likes',
    file: `${API}/http/body.ts`,
    find: 'const VALUES_MAX = 1_000',
    replace: 'const VALUES_MAX = 1_000_000',
    tests: [`${API}/http/body.test.ts`],
  },
  {
    name: 'stalls: a tag is normalised whole',
    file: `${API}/modules/tags/routes.ts`,
    find: 'const key = tagKey(params.tag)',
    replace: "const key = tagKey(params.tag.normalize('NFKC'))",
    tests: [COSTLY],
  },
  {
    name: 'stalls: all hits of a search are marked in one turn',
    file: `${API}/modules/search/service.ts`,
    find: 'await turn()',
    replace: 'void turn',
    tests: [COSTLY],
  },
  {
    name: 'hidden: a like stays across a block',
    file: 'shared/src/adapters/sql/engagement-store.ts',
    find: "    await lockPost(tx, postId, null)\n    const { numDeletedRows } = await tx\n      .deleteFrom('likes')",
    replace:
      "    await lockPost(tx, postId, userId)\n    const { numDeletedRows } = await tx\n      .deleteFrom('likes')",
    tests: [HIDDEN],
  },
  {
    name: 'hidden: a relation that was never there tells that somebody is',
    file: `${API}/modules/graph/routes.ts`,
    find: 'if (await lookup.isHiddenFrom(viewer.id, other)) throw noSuchUser()',
    replace: '',
    tests: [HIDDEN],
  },
  {
    name: 'hidden: anybody’s notification marks',
    file: 'shared/src/adapters/sql/notification-store.ts',
    find: 'if (!(await wasGiven(tx, recipient, until))) return false',
    replace: '',
    tests: [HIDDEN, 'shared/src/adapters/sql/notification-store.test.ts'],
  },
  {
    name: 'operators: a page in a browser has a service work',
    file: `${ACCESS}.ts`,
    find: 'if (names.some((name) => OF_BROWSERS.test(name))) {',
    replace: 'if (names.length < 0) {',
    tests: [`${ACCESS}.test.ts`],
  },
  {
    name: 'operators: whoever reaches the port has a service work',
    file: `${ACCESS}.ts`,
    find: 'if (isLoopback(peer) &&',
    replace: 'if (',
    tests: [`${ACCESS}.test.ts`],
  },
]
