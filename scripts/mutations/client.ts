import type { Mutation } from './mutation'

const CLIENT = 'client/src/client.ts'
const TESTS = ['client/src/client.test.ts']

/** Of the client, and of what the api must let one of another origin send and read. */
export const CLIENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'client: sign-out without a network keeps the session',
    file: CLIENT,
    find: `      keep(null)
      if (session) await methods.logOut({ refreshToken: session.refreshToken })`,
    replace: `      if (session) await methods.logOut({ refreshToken: session.refreshToken })
      keep(null)`,
    tests: TESTS,
  },
  {
    name: 'client: a refresh under way undoes a sign-out',
    file: CLIENT,
    find: 'return now?.refreshToken === refreshToken ? keep(next) : now',
    replace: 'return now === undefined ? now : keep(next)',
    tests: TESTS,
  },
  {
    name: 'client: 429 ends events for good',
    file: CLIENT,
    find: 'error.status !== 429 && error.status < 500',
    replace: 'error.status < 500',
    tests: TESTS,
  },
  {
    name: 'client: events do not wait for as long as Retry-After says',
    file: CLIENT,
    find: '(problem.retryAfterSeconds ?? 0) * 1_000',
    replace: '0',
    tests: TESTS,
  },
  {
    name: 'client: Retry-After is ignored',
    file: 'client/src/waiting.ts',
    find: 'error.retryAfterSeconds ?? (',
    replace: '(',
    tests: TESTS,
  },
  {
    name: 'client: timeoutMs is ignored',
    file: CLIENT,
    find: 'options.timeoutMs ?? TIMEOUT_MS',
    replace: 'TIMEOUT_MS',
    tests: TESTS,
  },
  {
    name: 'client: nobody hears that events broke',
    file: CLIENT,
    find: '      onProblem?.(problem, wait)\n',
    replace: '',
    tests: TESTS,
  },
  {
    name: 'client: a lost answer makes two comments',
    file: CLIENT,
    find: 'KEYED.includes(name)',
    replace: "name === 'createPost'",
    tests: TESTS,
  },
  {
    name: 'cors: a page of another origin may not send what goes on with events',
    file: 'shared/src/config/http-headers.ts',
    find: "  'Last-Event-ID',\n",
    replace: '',
    tests: ['services/api/src/http/headers.test.ts'],
  },
  {
    name: 'cors: a page of another origin may not read how much is left to it',
    file: 'shared/src/config/http-headers.ts',
    find: "  'RateLimit',\n",
    replace: '',
    tests: ['services/api/src/http/headers.test.ts'],
  },
  {
    name: 'links: the next page is relative',
    file: 'services/api/src/http/links.ts',
    find: "originOf(request) ?? ''",
    replace: "''",
    tests: ['services/api/src/http/links.test.ts'],
  },
  {
    name: 'links: anybody says which host links name',
    file: 'services/api/src/security/public-origin.ts',
    find: 'isTrusted(peer) ?',
    replace: "peer !== '' ?",
    tests: ['services/api/src/security/public-origin.test.ts'],
  },
]
