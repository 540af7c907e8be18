import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHousekeeping } from '@sns/api/housekeeping'
import { createMysqlSession, type MysqlSession } from '@sns/cdc-indexer/capture/mysql/session'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { Reader } from '@sns/shared/config/settings'
import { systemClock } from '@sns/shared/domain/clock'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { createBackend } from '@sns/shared/runtime/backend'
import { eventually } from '@sns/shared/testing/eventually'
import { hasMysqlServer, startMysqlServer } from '@sns/shared/testing/mysql-server'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { ROUTES } from '../../client/src/contract'
import { elasticsearchRights } from '../../scripts/grant/elasticsearch-rights'
import { mysqlRights, TABLE_RIGHTS } from '../../scripts/grant/mysql-rights'
import { mysqlUserName } from '../../scripts/grant/mysql-users'
import { freePort, type ProgramProcess, spawnProgram } from '../../scripts/process/program-process'
import { liveThroughTheMainJob, PASSWORD, type Person, signUp } from '../journey'

const SERVICES: readonly Reader[] = ['migrate', 'api', 'fanout-worker', 'cdc-indexer']
const VERBS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const

interface Granted extends AsyncDisposable {
  readonly names: ServerNames
  readonly admin: MysqlSession
  grant(...args: readonly string[]): Promise<string>
  passwordOf(service: Reader): string
  keyOf(service: Reader): string
  readonly secured: SecuredElasticsearch | null
  /** The settings of the service's program, which is the service's user. */
  environment(service: Reader): Readonly<Record<string, string>>
  session(service: Reader, password?: string): MysqlSession
  run(service: Reader, script: string, ...args: readonly string[]): Promise<Ended>
}

interface Ended {
  readonly code: number
  readonly output: string
}

/** Who may make users, which the user of the shared test servers may not. */
const ADMIN = [
  "CREATE USER admin@'%' IDENTIFIED BY 'pw'",
  "GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION",
  "CREATE USER plain@'%' IDENTIFIED BY 'pw'",
  "GRANT ALL ON *.* TO plain@'%'",
]

interface SecuredElasticsearch extends AsyncDisposable {
  readonly url: string
  /** With the user and password of one who may do everything. */
  readonly adminUrl: string
  /** The status of its answer to somebody with this key. */
  ask(key: string, method: string, path: string, body?: object): Promise<number>
  dropIndexes(): Promise<void>
  /** Ends the keys of every service. */
  endKeys(): Promise<void>
}

/** `http://user:password@host:port` of an Elasticsearch that asks everybody who they are. */
const SECURED_URL = process.env.TEST_SECURED_ES_URL || null
if (!SECURED_URL) console.log('SKIPPED: TEST_SECURED_ES_URL names no Elasticsearch with security')

function securedElasticsearch(prefix: string): SecuredElasticsearch | null {
  if (!SECURED_URL) return null
  const { origin, username, password } = new URL(SECURED_URL)
  const send = (authorization: string, method: string, path: string, body?: object) =>
    fetch(origin + path, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
  const admin = `Basic ${btoa(`${username}:${password}`)}`
  const dropIndexes = async () => {
    const found = await send(admin, 'GET', `/_cat/indices/${prefix}*?format=json&h=index`)
    for (const { index } of (await found.json()) as { index: string }[]) {
      await send(admin, 'DELETE', `/${index}`)
    }
  }
  return {
    url: origin,
    adminUrl: SECURED_URL,
    ask: async (key, method, path, body) =>
      (await send(`ApiKey ${key}`, method, path, body)).status,
    dropIndexes,
    async endKeys() {
      for (const service of SERVICES) {
        await send(admin, 'DELETE', '/_security/api_key', { name: `${prefix}-${service}` })
      }
    },
    [Symbol.asyncDispose]: dropIndexes,
  }
}

async function openGranted(...options: readonly string[]): Promise<Granted> {
  await using opened = new AsyncDisposableStack()
  const server = opened.use(await startMysqlServer(ADMIN, options))
  const names = opened.use(await createServerNames(`mysql://admin:pw@127.0.0.1:${server.port}`))
  const { database, mysql } = names
  const { path: folder } = opened.use(await temporaryFolder())
  const admin = opened.use(createMysqlSession(mysql))
  const userOf = (service: Reader) => mysqlUserName(database, service)
  const fileOf = (service: Reader) => join(folder, service, 'database-password')
  const passwordOf = (service: Reader) => readFileSync(fileOf(service), 'utf8').trim()
  // Elasticsearch too, where there is one that asks who one is.
  const secured = opened.use(securedElasticsearch(names.env.KEY_PREFIX ?? ''))
  const adminEnv = { ...names.env, ...(secured && { ES_URL: secured.adminUrl }) }
  const keyFileOf = (service: Reader) => join(folder, service, 'es-api-key')
  const environment = (service: Reader) => ({
    ...names.env,
    ...(secured && { ES_URL: secured.url }),
    ...(secured && elasticsearchRights(service) && { ES_API_KEY_FILE: keyFileOf(service) }),
    DATABASE_URL: `mysql://${userOf(service)}@${mysql.host}:${mysql.port}/${database}`,
    DATABASE_PASSWORD_FILE: fileOf(service),
  })
  const end = async (program: ProgramProcess) => ({
    code: await program.exited,
    output: program.output(),
  })
  const resources = opened.move()
  return {
    names,
    admin,
    async grant(...args) {
      await using program = spawnProgram('grant', [folder, ...args], adminEnv)
      const { code, output } = await end(program)
      if (code !== 0) throw new Error(output)
      return output
    },
    passwordOf,
    keyOf: (service) => readFileSync(keyFileOf(service), 'utf8').trim(),
    secured,
    environment,
    session: (service, password = passwordOf(service)) =>
      createMysqlSession({ ...mysql, user: userOf(service), password }),
    async run(service, script, ...args) {
      await using program = spawnProgram(script, args, environment(service))
      return await end(program)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

if (!hasMysqlServer) console.log('SKIPPED: there is no MySQL to start whose users may be changed')
describe.skipIf(!hasAllTestServers || !hasMysqlServer)(
  'a user of MySQL and a key of Elasticsearch for each service',
  () => {
    let granted: Granted

    // As compose begins: nothing is there but the database.
    beforeAll(async () => {
      granted = await openGranted()
      await granted.grant('migrate')
      expect(await granted.run('migrate', 'migrate')).toMatchObject({ code: 0 })
      await granted.grant('api', 'fanout-worker', 'cdc-indexer')
    }, 120_000)
    afterAll(() => granted?.[Symbol.asyncDispose]())

    test('every table stands in the list of who may do what with it', async () => {
      const rows = await granted.admin.query(
        'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?',
        [granted.names.database],
      )
      expect(rows.map(({ name }) => String(name)).toSorted()).toEqual(
        Object.keys(TABLE_RIGHTS).toSorted(),
      )
    })

    test.each(SERVICES)('%s may do what its list says, with no table more', async (service) => {
      await using session = granted.session(service)
      const rights = mysqlRights(service)
      for (const table of Object.keys(TABLE_RIGHTS)) {
        const columns = await granted.admin.query(
          'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?',
          [granted.names.database, table],
        )
        const sets = columns.map(({ name }) => `\`${String(name)}\` = NULL`).join(', ')
        const tries: Readonly<Record<(typeof VERBS)[number], string>> = {
          SELECT: `SELECT * FROM ${table} LIMIT 0`,
          INSERT: `INSERT INTO ${table} SELECT * FROM (TABLE ${table}) AS t WHERE FALSE`,
          UPDATE: `UPDATE ${table} SET ${sets} WHERE FALSE`,
          DELETE: `DELETE FROM ${table}`,
        }
        const has = (verb: string) =>
          rights.database.includes(verb) || (rights.tables[table] ?? []).includes(verb)
        for (const verb of VERBS) {
          // Explained, a statement needs its rights and does nothing.
          const isAllowed = await succeeds(session, `EXPLAIN ${tries[verb]}`)
          const needs = verb === 'INSERT' ? ['INSERT', 'SELECT'] : [verb]
          expect([service, table, verb, isAllowed]).toEqual([
            service,
            table,
            verb,
            needs.every(has),
          ])
        }
      }
    })

    test.each<[Reader, string, boolean]>([
      ['api', 'CREATE TABLE another (id INT)', false],
      ['api', 'ALTER TABLE posts ADD COLUMN another INT', false],
      ['api', 'DROP TABLE posts', false],
      ['api', 'TRUNCATE TABLE posts', false],
      ['api', 'SHOW BINARY LOG STATUS', false],
      ['api', 'SHOW BINARY LOGS', false],
      ['api', 'SHOW REPLICAS', false],
      ['fanout-worker', 'SHOW BINARY LOGS', false],
      ['fanout-worker', 'SELECT password_hash FROM accounts', false],
      ['fanout-worker', 'SELECT user_id, graph_version FROM accounts FOR SHARE', true],
      ['fanout-worker', "UPDATE accounts SET password_hash = ''", false],
      ['cdc-indexer', 'CREATE TABLE another (id INT)', false],
      ['cdc-indexer', 'SELECT * FROM accounts', false],
      ['cdc-indexer', "UPDATE users SET display_name = ''", false],
      ['cdc-indexer', 'SHOW BINARY LOGS', true],
      ['migrate', 'SHOW BINARY LOGS', true],
      ['migrate', 'SHOW REPLICAS', false],
      ['migrate', "CREATE USER another@'%'", false],
      ['migrate', 'SELECT * FROM mysql.user', false],
      ['migrate', 'CREATE DATABASE another', false],
      ['migrate', 'SET GLOBAL read_only = ON', false],
      ['migrate', 'SET SESSION sql_log_bin = OFF', false],
    ])('%s: %s', async (service, statement, isAllowed) => {
      await using session = granted.session(service)
      expect(await succeeds(session, statement)).toBe(isAllowed)
    })

    test('all of it works, each service as its own user', async () => {
      const port = freePort()
      const url = `http://127.0.0.1:${port}`
      const start = (service: Reader, more: Readonly<Record<string, string>> = {}) => {
        const metricsPort = freePort()
        const program = spawnProgram('start', [service], {
          ...granted.environment(service),
          METRICS_PORT: String(metricsPort),
          ...more,
        })
        return { program, status: `http://127.0.0.1:${metricsPort}` }
      }
      await using programs = new AsyncDisposableStack()
      const running = [
        start('api', { WEB_PORT: String(port) }),
        start('fanout-worker', { PULL_FOLLOWERS: '1' }),
        start('cdc-indexer'),
      ]
      for (const { program } of running) programs.use(program)
      for (const { program, status } of running) await program.ready(status)

      await liveThroughTheMainJob(url)
      await useEverything(url).catch((error) => {
        const denied = running.flatMap(({ program }) =>
          program.output().match(/"[^"]*denied[^"]*"/g),
        )
        throw new Error([...new Set(denied)].join('\n'), { cause: error })
      })
      await keepHouse(granted.environment('api'))
      for (const [script, ...args] of COMMANDS) {
        expect([script, args, await granted.run('migrate', script, ...args)]).toEqual([
          script,
          args,
          { code: 0, output: expect.any(String) },
        ])
      }
      // Rights may be given anew beside all of it.
      await granted.grant()
      await liveThroughTheMainJob(url)
      for (const { program } of running)
        expect(program.output()).not.toMatch(/denied|unauthorized/i)
      if (!granted.secured) return
      await granted.secured.dropIndexes()
      await liveThroughTheMainJob(url)
      for (const { program } of running) expect(program.output()).not.toMatch(/unauthorized/i)
    }, 240_000)

    test('given anew, what was taken is back, and what was too much is gone', async () => {
      const { admin, names } = granted
      const user = `${names.database}_api`
      await admin.query(`GRANT DROP, INSERT ON ${names.database}.imports TO ?@'%'`, [user])
      await admin.query(`GRANT REPLICATION SLAVE ON *.* TO ?@'%'`, [user])
      await admin.query(`REVOKE SELECT ON ${names.database}.posts FROM ?@'%'`, [user])
      await granted.grant('api')
      await using session = granted.session('api')
      expect(await succeeds(session, 'SELECT 1 FROM posts LIMIT 0')).toBe(true)
      expect(await succeeds(session, 'DROP TABLE imports')).toBe(false)
      expect(await succeeds(session, 'SHOW REPLICAS')).toBe(false)
      const grants = await admin.query("SHOW GRANTS FOR ?@'%'", [user])
      await granted.grant('api')
      expect(await admin.query("SHOW GRANTS FOR ?@'%'", [user])).toEqual(grants)
    }, 60_000)

    test('a new password works beside the one before, until that is retired', async () => {
      const before = granted.passwordOf('api')
      const worksWith = async (password: string) => {
        await using session = granted.session('api', password)
        return succeeds(session, 'SELECT 1')
      }
      await granted.grant('api')
      expect(granted.passwordOf('api')).toBe(before)
      await granted.grant('--rotate', 'api')
      const after = granted.passwordOf('api')
      expect(after).not.toBe(before)
      await granted.grant()
      expect([await worksWith(before), await worksWith(after)]).toEqual([true, true])
      await granted.grant('--retire', 'api')
      expect([await worksWith(before), await worksWith(after)]).toEqual([false, true])
    }, 60_000)

    test.skipIf(!SECURED_URL)(
      'each key does what its service needs, and no more',
      async () => {
        const { secured, keyOf, names } = granted
        const prefix = names.env.KEY_PREFIX!
        const posts = `/${prefix}-posts`
        // Of a suite whose prefix begins like ours.
        const theirs = `/${prefix}-posts2-posts`
        const post = { authorId: '1', text: 'x' }
        for (const [method, path, body, allowed] of [
          ['GET', '/', undefined, ['migrate', 'api', 'cdc-indexer']],
          ['POST', `${posts}/_search`, undefined, ['migrate', 'api']],
          ['POST', `${posts}/_doc/0?refresh=false`, post, ['migrate', 'cdc-indexer']],
          ['DELETE', `${posts}/_doc/0`, undefined, ['migrate', 'cdc-indexer']],
          ['PUT', `${posts}-made`, {}, ['migrate', 'cdc-indexer']],
          ['POST', `${posts}-made/_refresh`, undefined, ['migrate']],
          ['PUT', `${posts}-made/_mapping`, { properties: {} }, ['migrate', 'cdc-indexer']],
          ['DELETE', `${posts}-made`, undefined, ['migrate']],
          ['POST', `${posts}/_close`, undefined, ['migrate']],
          ['POST', `${posts}/_open`, undefined, ['migrate']],
          ['POST', `${theirs}/_search`, undefined, []],
          ['PUT', theirs, {}, []],
          ['GET', '/_security/api_key', undefined, []],
          ['GET', '/_security/user', undefined, []],
          ['POST', '/_security/api_key', { name: 'another' }, []],
          ['GET', '/_cluster/settings', undefined, []],
          ['PUT', '/_cluster/settings', { persistent: { 'search.max_buckets': 70_000 } }, []],
          ['PUT', '/_index_template/another', { index_patterns: ['x*'] }, []],
          ['GET', '/_cat/indices', undefined, []],
        ] as const) {
          for (const service of ['api', 'cdc-indexer', 'migrate'] as const) {
            const status = await secured!.ask(keyOf(service), method, path, body)
            const isAllowed = allowed.some((each) => each === service)
            expect([service, method, path, status === 403]).toEqual([
              service,
              method,
              path,
              !isAllowed,
            ])
          }
        }
        expect(() => keyOf('fanout-worker')).toThrow('ENOENT')
      },
      60_000,
    )

    test.skipIf(!SECURED_URL)(
      'a new key works beside the one before, until that is retired; one that was ended is made anew',
      async () => {
        const { secured, keyOf } = granted
        const worksWith = async (key: string) => (await secured!.ask(key, 'GET', '/')) === 200
        const before = keyOf('api')
        await granted.grant('api')
        expect(keyOf('api')).toBe(before)
        await granted.grant('--rotate', 'api')
        const after = keyOf('api')
        expect([await worksWith(before), await worksWith(after)]).toEqual([true, true])
        await granted.grant('--retire', 'api')
        expect([await worksWith(before), await worksWith(after)]).toEqual([false, true])
        expect(await worksWith(keyOf('cdc-indexer'))).toBe(true)
        await secured!.endKeys()
        await granted.grant('api', 'cdc-indexer')
        expect(await worksWith(after)).toBe(false)
        expect(await worksWith(keyOf('api'))).toBe(true)
      },
      60_000,
    )

    test('an installation that has one user goes on while it is given the others', async () => {
      await using old = await openGranted('--partial-revokes=ON')
      await using migrate = spawnProgram('migrate', [], old.names.env)
      expect(await migrate.exited).toBe(0)
      await old.grant()
      const port = freePort()
      await using api = spawnProgram('start', ['api'], {
        ...old.environment('api'),
        WEB_PORT: String(port),
      })
      await api.ready(`http://127.0.0.1:${port}`)
      await signUp(`http://127.0.0.1:${port}`, 'later')
    }, 60_000)

    test('who may make no users is told so', async () => {
      await using folder = await temporaryFolder()
      await using program = spawnProgram('grant', [folder.path], {
        ...granted.names.env,
        DATABASE_URL: granted.names.env.DATABASE_URL!.replace('admin:', 'plain:'),
      })
      expect(await program.exited).toBe(1)
      expect(program.output()).toMatch(/^sns: DATABASE_URL: its user may not .*$/m)
    }, 60_000)

    test('capture as a user who may not read the binlog ends with words', async () => {
      const { code, output } = await granted.run('fanout-worker', 'start', 'cdc-indexer')
      expect(code).toBe(1)
      expect(output).toContain('`grant`')
    }, 60_000)
  },
)

/** Operators' commands of the runbook. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['migrate'],
  ['feeds', 'verify', '--all'],
  ['feeds', 'rebuild', '--all'],
  ['search', 'verify', '--all'],
  ['snapshot'],
  ['snapshot', '--stop'],
  ['reindex'],
  ['reindex', 'rollback'],
  ['reindex', 'drop'],
  ['dlq', 'list'],
]

async function succeeds(session: MysqlSession, statement: string): Promise<boolean> {
  try {
    await session.query(statement)
    return true
  } catch (error) {
    expect(String(error)).toMatch(/denied|refuses/i)
    return false
  }
}

type Operation = keyof typeof ROUTES

/** Asks for every operation of the api, each by somebody who may. */
async function useEverything(url: string): Promise<void> {
  const [ann, bob, cleo] = [
    await signUp(url, 'ann'),
    await signUp(url, 'bob'),
    await signUp(url, 'cleo'),
  ]
  const asked = new Set<Operation>()
  const ask = async (
    person: Person,
    operation: Operation,
    input: Readonly<Record<string, string>> = {},
  ) => {
    asked.add(operation)
    const [method = '', path = ''] = ROUTES[operation].split(' ')
    const used = new Set<string>()
    const to = new URL(
      url +
        path.replace(/\{(\w+)\}/g, (_, name: string) => {
          used.add(name)
          return input[name] ?? ''
        }),
    )
    const rest = Object.entries(input).filter(([name]) => !used.has(name))
    if (method === 'GET') for (const [name, value] of rest) to.searchParams.set(name, value)
    const response = await fetch(to, {
      method,
      headers: {
        authorization: `Bearer ${person.token}`,
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': crypto.randomUUID() }),
      },
      ...(method !== 'GET' &&
        rest.length > 0 && { body: JSON.stringify(Object.fromEntries(rest)) }),
    })
    const answer = await response.text()
    expect([operation, response.status, response.ok ? '' : answer]).toEqual([
      operation,
      expect.any(Number),
      '',
    ])
    return answer === '' ? {} : JSON.parse(answer)
  }
  const list = async (person: Person, operation: Operation, input = {}) =>
    ask(person, operation, { limit: '5', ...input })
  const soon = { timeoutMs: 20_000 }

  for (const each of [bob, cleo]) await ask(each, 'followUser', { username: ann.username })
  const { id } = await ask(ann, 'createPost', { text: `#tagged for @${bob.username}` })
  await ask(ann, 'editPost', { id, text: `#tagged for @${bob.username} anew` })
  await ask(bob, 'likePost', { id })
  const comment = await ask(cleo, 'createComment', { id, text: 'a word' })
  const noticed = async () => (await list(ann, 'listNotifications')).items as { id: string }[]
  await eventually(async () => (await noticed()).length === 4, {
    ...soon,
    what: 'two follows, the like and the comment are noticed',
  })
  await eventually(
    async () => (await list(ann, 'listTagPosts', { tag: 'tagged' })).items.length === 1,
    { ...soon, what: 'the tag has its post' },
  )
  await ask(ann, 'countUnreadNotifications')
  await ask(ann, 'markNotificationsRead', { until: (await noticed())[0]!.id })
  for (const operation of [
    'listFollowers',
    'listFollowing',
    'listUserPosts',
    'readProfile',
  ] as const) {
    await ask(bob, operation, { username: ann.username })
  }
  for (const operation of ['readPost', 'listComments', 'listLikers'] as const) {
    await ask(bob, operation, { id })
  }
  await ask(bob, 'listLikedPosts')
  await ask(bob, 'readFeed')
  await ask(bob, 'readAccount')
  await ask(bob, 'searchPosts', { q: 'tagged' })
  await ask(bob, 'searchUsers', { q: 'ann' })
  await ask(bob, 'unlikePost', { id })
  await ask(cleo, 'deleteComment', { id: comment.id })
  for (const [put, listing, take] of [
    ['muteUser', 'listMutes', 'unmuteUser'],
    ['blockUser', 'listBlocks', 'unblockUser'],
  ] as const) {
    await ask(ann, put, { username: cleo.username })
    await list(ann, listing)
    await ask(ann, take, { username: cleo.username })
  }
  await ask(bob, 'unfollowUser', { username: ann.username })
  await eventually(async () => (await noticed()).length === 0, {
    ...soon,
    what: 'what was taken back is noticed no more',
  })

  const credentials = { username: cleo.username, password: PASSWORD }
  const session = await ask(cleo, 'logIn', credentials)
  const { refreshToken } = await ask(cleo, 'refreshSession', { refreshToken: session.refreshToken })
  await ask(cleo, 'logOut', { refreshToken })
  await ask(cleo, 'logIn', credentials)
  const { items } = (await ask(cleo, 'listSessions')) as {
    items: { id: string; isCurrent: boolean }[]
  }
  await ask(cleo, 'endSession', { id: items.find(({ isCurrent }) => !isCurrent)!.id })
  const password = `${PASSWORD} anew`
  await ask(cleo, 'changeAccount', { displayName: 'Cleo', password, currentPassword: PASSWORD })
  const other = await ask(ann, 'signUp', { username: `dan_${Date.now().toString(36)}`, password })
  await ask(ann, 'createPost', { text: 'to go with its author' })
  await ask(ann, 'deletePost', { id })
  await ask({ ...ann, token: other.accessToken }, 'deleteAccount', { password })
  await ask(bob, 'deleteAccount', { password: PASSWORD })
  expect([...asked].toSorted()).toEqual((Object.keys(ROUTES) as Operation[]).toSorted())
}

/** What the api does by itself once an hour. */
async function keepHouse(environment: Readonly<Record<string, string>>): Promise<void> {
  const problems: unknown[] = []
  const logger = createLogger('test', 'silent')
  const deps = {
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    clock: systemClock,
  }
  await using backend = await createBackend(loadSettings(environment, { role: 'api' }), deps)
  const stores = await backend.forApi()
  const done = new AbortController()
  const { prune } = stores.notifications
  const house = createHousekeeping(
    {
      ...stores,
      notifications: {
        async prune(before) {
          await prune(before)
          done.abort()
        },
      },
      clock: systemClock,
      logger: Object.assign(logger, {
        warn: (problem: unknown) => {
          problems.push(problem)
          done.abort()
        },
      }),
    },
    { everyMs: 1 },
  )
  await house.run(done.signal)
  await stores.users.finishDeletions(new AbortController().signal)
  await stores.posts.finishDeletions(new AbortController().signal)
  expect(problems).toEqual([])
}
