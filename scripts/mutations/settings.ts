import type { Mutation } from './mutation'

const EFFECTS = 'tests/embedded/setting-effects.test.ts'
const API = 'services/api/src/main.ts'

/** A main that takes no notice of a setting. */
function unread(setting: string, find: string, replace: string, file = API): Mutation {
  return { name: `settings: ${setting} reaches nothing`, file, find, replace, tests: [EFFECTS] }
}

/** Of what the mains hand on, and of what they start. */
export const SETTING_MUTATIONS: readonly Mutation[] = [
  unread('TRUSTED_PROXIES', 'settings.trustedProxies', '[]'),
  unread(
    'RATE_LIMIT',
    'rateLimits: settings.rateLimits',
    'rateLimits: { ...settings.rateLimits, isOn: false }',
  ),
  ...(
    [
      ['LOGIN', 'logIn'],
      ['SIGNIN', 'signIn'],
      ['SIGNUP', 'signUp'],
      ['PASSWORD', 'password'],
      ['WRITE', 'write'],
      ['WRITE_ADDRESS', 'writeByAddress'],
      ['READ', 'read'],
      ['READ_ADDRESS', 'readByAddress'],
    ] as const
  ).map(([setting, key]) =>
    unread(
      `RATE_LIMIT_${setting}`,
      'rateLimits: settings.rateLimits',
      `rateLimits: { ...settings.rateLimits, ${key}: { ...settings.rateLimits.${key}, quota: 4_000, seconds: 60 } }`,
    ),
  ),
  ...(
    [
      ['ORIGINS', "origins: ['https://other.example']"],
      ['CREDENTIALS', 'credentials: false'],
      ['METHODS', "methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']"],
      ['HEADERS', "headers: ['Authorization']"],
    ] as const
  ).map(([setting, value]) =>
    unread(`CORS_${setting}`, 'cors: settings.cors', `cors: { ...settings.cors, ${value} }`),
  ),
  unread('SESSION_MAX_DAYS', 'settings.sessionMaxDays', '90'),
  unread('PAGE_MEMORY_MIB', 'settings.pageMemoryMib', '128'),
  unread('EVENT_STREAMS', 'settings.eventStreams', '10_000'),
  unread('PUBLIC_URL', 'settings.publicUrl', 'null'),
  unread('SECRET_KEY', 'signingKey(settings)', "'x'.repeat(32)"),
  unread(
    'PULL_FOLLOWERS',
    'settings.pullFollowers',
    '10_000',
    'services/fanout-worker/src/main.ts',
  ),
  unread(
    'LOG_LEVEL',
    'createLogger(spec.name, settings.logLevel)',
    "createLogger(spec.name, 'info')",
    'shared/src/runtime/service.ts',
  ),
  unread(
    'DATABASE_ECHO',
    'onStatement = echo ? echoTo(logger) : null',
    'onStatement = null',
    'shared/src/runtime/embedded-backend.ts',
  ),
  {
    name: 'settings: deletions of accounts are not gone on with',
    file: API,
    find: '        createDeletions({ ...announced, logger }),\n',
    replace: '',
    tests: [EFFECTS],
  },
  {
    name: 'settings: notifications are pruned at once',
    file: 'services/api/src/housekeeping.ts',
    find: 'notifications.prune(clock.now() - NOTIFICATIONS_KEPT_MS)',
    replace: 'notifications.prune(clock.now())',
    tests: ['services/api/src/housekeeping.test.ts'],
  },
  {
    name: 'settings: nobody keeps house',
    file: API,
    find: '        createHousekeeping({ ...stores, ...announced, clock, logger }),\n',
    replace: '',
    tests: ['services/api/src/main.test.ts'],
  },
  {
    name: 'settings: each api counts sign-ins alone',
    file: 'services/api/src/http/rate-limits.ts',
    find: 'await take(shared, limits.logIn, key, limited)',
    replace: 'await take(local, limits.logIn, key, limited)',
    tests: ['tests/servers/setting-effects.server.test.ts'],
    needs: 'TEST_REDIS_URL',
  },
  {
    name: 'settings: a counter appears with its first event',
    file: 'shared/src/observability/label-domains.ts',
    find: '  for (const labels of combinations(configuration.labels)) counter.inc(labels, 0)\n',
    replace: '',
    tests: ['shared/src/observability/metrics.test.ts'],
  },
]
