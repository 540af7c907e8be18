import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import {
  listSettings,
  type Reader,
  type Role,
  SETTINGS,
  type Setting,
  secretFileSetting,
} from '@sns/shared/config/settings'
import { eventually } from '@sns/shared/testing/eventually'
import { freePort, redisServerBinary } from '@sns/shared/testing/redis-server'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { parse } from 'yaml'
import { COMMAND_LINES } from '../../scripts/commands'
import { createCredentials } from '../../scripts/grant/credentials'
import { mysqlUserName } from '../../scripts/grant/mysql-users'
import { SECRETS } from '../../scripts/init'
import { cdcIndexer } from '../../services/cdc-indexer/src/main'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Service {
  image?: string
  build?: unknown
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string | number>
  ports?: string[]
  volumes?: string[]
  healthcheck?: { test: string[] }
  restart?: string
  container_name?: string
  logging?: { driver: string; options: Record<string, string> }
  read_only?: boolean
  cap_drop?: string[]
  cap_add?: string[]
  security_opt?: string[]
  privileged?: boolean
  pids_limit?: number
  mem_limit?: string
  tmpfs?: string[]
  user?: string
  networks?: string[]
  network_mode?: string
  secrets?: string[]
  stop_grace_period?: string
  depends_on?: Record<string, { condition: string }>
}

const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } } | null>
  secrets: Record<string, { file: string }>
}

/** Our own services as compose runs them. */
const PROGRAMS: Record<string, Reader> = {
  migrate: 'migrate',
  api: 'api',
  'fanout-worker': 'fanout-worker',
  'cdc-indexer': 'cdc-indexer',
}

/** The commands that are for operators of the servers, with whose settings each reads. */
const COMMANDS = Object.entries(COMMAND_LINES).flatMap(([name, line]) =>
  'role' in line ? [{ name, role: line.role as Role }] : [],
)

/** Who reads what a service is given: `migrate` runs the operators' commands too. */
function rolesOf(service: string): readonly Role[] {
  const own = PROGRAMS[service]!
  return own === 'migrate' ? [own, ...COMMANDS.map(({ role }) => role)] : [own]
}

/** Settings of which compose itself has the value, and why. Every other one is the operator's. */
const DECIDED: Readonly<Record<string, string>> = {
  WEB_HOST: 'a container is reached from the network of compose alone',
  WEB_PORT: 'the port within the container; on this machine the proxy has the WEB_PORT of .env',
  METRICS_PORT: 'health checks and Prometheus ask there',
  DATABASE_URL: 'the mysql of compose',
  DATABASE_READ_URLS: 'compose has one mysql',
  REDIS_URL: 'the redis of compose',
  REDIS_CA: 'the network of compose is inside one machine',
  REDIS_HOST: 'REDIS_URL has it',
  REDIS_PORT: 'REDIS_URL has it',
  REDIS_DB: 'REDIS_URL has it',
  KAFKA_BROKERS: 'the kafka of compose',
  KAFKA_SSL: 'the network of compose is inside one machine',
  KAFKA_CA: 'nothing is encrypted there',
  KAFKA_SASL_MECHANISM: 'the kafka of compose lets nobody sign in',
  KAFKA_SASL_USERNAME: 'the kafka of compose lets nobody sign in',
  KAFKA_SASL_PASSWORD: 'the kafka of compose lets nobody sign in',
  ES_URL: 'the elasticsearch of compose',
  ES_CA: 'the network of compose is inside one machine',
  ES_HOST: 'ES_URL has it',
  ES_PORT: 'ES_URL has it',
  ES_PASSWORD: 'a key is used',
  ES_ID: 'a key is used',
}

/** Where compose has the secrets, and a folder that plays it here. */
const SECRETS_FOLDER = '/run/secrets'
/** Where what `grant` writes is. */
const CREDENTIALS_FOLDER = '/credentials'
let secretsFolder = ''
const secretOf = (name: string) => `${name}-of-more-than-thirty-two-characters`
beforeAll(() => {
  secretsFolder = mkdtempSync(join(tmpdir(), 'sns-secrets-'))
  for (const name of SECRETS) writeFileSync(join(secretsFolder, name), `${secretOf(name)}\n`)
  const credentials = createCredentials(join(secretsFolder, 'credentials'))
  for (const service of Object.values(PROGRAMS)) {
    credentials.write(service, 'database-password', secretOf(service))
    credentials.write(service, 'es-api-key', secretOf(`${service}-key`))
  }
})
afterAll(() => rmSync(secretsFolder, { recursive: true }))

/** Compose's interpolation, as far as the file uses it: `${NAME:-default}` and `$$`. */
function interpolate(value: string, env: Record<string, string>): string {
  return value
    .replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => env[name] || fallback)
    .replaceAll('$$', '$')
}

/** As a container of the service has it. */
function environmentOf(service: string, env: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(String(value), env),
    ]),
  )
}

/** The settings that a program of the service loads, as `role`. */
function settingsOf(service: string, role: Role, env: Record<string, string> = {}) {
  const inHere = Object.entries(environmentOf(service, env)).map(([name, value]) => [
    name,
    value
      .replace(SECRETS_FOLDER, secretsFolder)
      .replace(CREDENTIALS_FOLDER, join(secretsFolder, 'credentials')),
  ])
  return loadSettings(Object.fromEntries(inHere), { role })
}

function isReadBy({ readBy }: Setting, role: Role): boolean {
  if (readBy === 'all') return true
  return readBy.some((reader) => reader === role)
}

const isReadIn = (setting: Setting, service: string) =>
  rolesOf(service).some((role) => isReadBy(setting, role))

const namesOf = (setting: Setting) =>
  setting.secret ? [setting.name, secretFileSetting(setting.name)] : [setting.name]

describe.each(Object.keys(PROGRAMS))('%s in compose', (service) => {
  test('is given only settings that it reads', () => {
    for (const name of Object.keys(environmentOf(service))) {
      const setting = listSettings().find((each) => namesOf(each).includes(name))
      expect(setting, `${name} is no setting`).toBeDefined()
      expect(isReadIn(setting!, service), `${service} does not read ${name}`).toBe(true)
    }
  })

  test('is passed every setting that it reads, secrets as files', () => {
    for (const setting of listSettings().filter((each) => isReadIn(each, service))) {
      const { name, secret } = setting
      const passed = environmentOf(service, { [name]: 'as the operator has it' })
      if (name in DECIDED) expect(passed[name], name).not.toBe('as the operator has it')
      else if (secret) {
        expect(passed, `${name} stands where everybody reads it`).not.toHaveProperty(name)
        const file = passed[secretFileSetting(name)] ?? ''
        expect(file, `compose drops ${name}`).toMatch(/^\/(run\/secrets|credentials)\//)
        if (file.startsWith(SECRETS_FOLDER)) {
          expect(compose.services[service]?.secrets).toContain(file.split('/').at(-1))
        } else expect(file).toStartWith(`${CREDENTIALS_FOLDER}/${service}/`)
      } else expect(passed[name], `compose drops ${name}`).toBe('as the operator has it')
    }
  })

  test('is given each secret that it reads, and no other', () => {
    const named = Object.values(environmentOf(service)).flatMap((value) =>
      value.startsWith(`${SECRETS_FOLDER}/`) ? [value.slice(SECRETS_FOLDER.length + 1)] : [],
    )
    expect((compose.services[service]?.secrets ?? []).toSorted()).toEqual(named.toSorted())
  })

  test('starts after what it needs is ready', () => {
    const needs = compose.services[service]?.depends_on ?? {}
    if (service === 'migrate') {
      expect(needs.kafka?.condition).toBe('service_healthy')
      expect(needs['grant-migrate']?.condition).toBe('service_completed_successfully')
    } else {
      expect(needs.grant?.condition).toBe('service_completed_successfully')
    }
  })
})

/** Whatever runs in a container of ours: its services, and the operators' commands in `migrate`. */
const RUNS = Object.keys(PROGRAMS).flatMap((service) =>
  rolesOf(service).map((role) => [service, role] as const),
)

test('each operators’ command of the executable says whose settings it reads', () => {
  const all = [...read('scripts/sns.ts').matchAll(/^ {2}'?([\w-]+)'?: async/gm)].map(
    ([, name]) => name!,
  )
  const forOperators = all.filter((name) => !['demo', 'start'].includes(name))
  expect(forOperators.length).toBeGreaterThan(10)
  expect(COMMANDS.map(({ name }) => name).toSorted()).toEqual(forOperators.toSorted())
})

test.each(RUNS)(
  'in %s a program with the settings of %s reaches every store it uses',
  (service, role) => {
    const settings = settingsOf(service, role)
    const reach = (host: string) => expect(reachableFrom(service)).toContain(host)
    expect(settings.database).toMatchObject({
      kind: 'mysql',
      host: 'mysql',
      port: 3306,
      user: mysqlUserName('sns', PROGRAMS[service]!),
      password: secretOf(service),
    })
    reach('mysql')
    if (isReadBy(SETTINGS.redis.url, role)) {
      if ('cluster' in settings.redis) throw new Error('compose runs one redis')
      const url = new URL(settings.redis.url)
      reach(url.hostname)
      expect(url.password).toBe(secretOf('redis-password'))
    }
    if (isReadBy(SETTINGS.kafka.brokers, role)) {
      for (const broker of settings.kafka.brokers) reach(broker.split(':')[0]!)
    }
    if (isReadBy(SETTINGS.elasticsearch.url, role)) {
      reach(new URL(settings.elasticsearch.urls[0]).hostname)
      expect(settings.elasticsearch.auth).toEqual({ apiKey: secretOf(`${service}-key`) })
    }
    if (isReadBy(SETTINGS.operatorToken, role)) {
      expect(settings.operatorToken).toBe(secretOf('operator-token'))
      // Where `feeds verify --memory http://api:8003` asks.
      if (service === 'migrate') reach('api')
    }
    if (role === 'api') expect(settings.secretKey).toBe(secretOf('secret-key'))
  },
)

describe.each(['grant-migrate', 'grant'])('%s in compose', (service) => {
  const granted = compose.services[service]!.command!.slice(2)

  test('alone makes users, and writes for each program what that alone reads', () => {
    const { database, elasticsearch } = settingsOf(service, 'migrate')
    expect(elasticsearch.auth).toEqual({
      username: 'elastic',
      password: secretOf('es-password'),
    })
    expect(database).toMatchObject({
      user: 'root',
      password: secretOf('mysql-root-password'),
      database: 'sns',
    })
    expect(compose.services[service]?.command?.slice(0, 2)).toEqual(['grant', CREDENTIALS_FOLDER])
    expect(compose.services[service]?.volumes).toEqual(
      granted.map((name) => `${name}-credentials:${CREDENTIALS_FOLDER}/${name}`),
    )
    const [, made = ''] = read('Dockerfile').split('install -d -m 700 -o sns -g sns ')
    const [image = ''] = made.split(/\n(?! )/)
    for (const name of granted) {
      expect(compose.services[name]?.volumes).toEqual([
        `${name}-credentials:${CREDENTIALS_FOLDER}/${name}:ro`,
      ])
      // A volume begins as the folder of the image, whose user must own it.
      expect(image.split(/[\s\\]+/)).toContain(`${CREDENTIALS_FOLDER}/${name}`)
    }
    for (const [secret, server] of [
      ['mysql-root-password', 'mysql'],
      ['es-password', 'elasticsearch'],
    ] as const) {
      const knowing = Object.entries(compose.services).flatMap(([name, { secrets }]) =>
        secrets?.includes(secret) ? [name] : [],
      )
      expect(knowing.toSorted()).toEqual(['grant', 'grant-migrate', 'preflight', server].toSorted())
    }
  })

  test('runs when the server is there, and the tables where they are needed', () => {
    const needs = compose.services[service]?.depends_on ?? {}
    if (service === 'grant-migrate') {
      expect(needs.mysql?.condition).toBe('service_healthy')
      expect(needs.elasticsearch?.condition).toBe('service_healthy')
    } else expect(needs.migrate?.condition).toBe('service_completed_successfully')
  })
})

test('every program of ours is given its user', () => {
  const granted = ['grant-migrate', 'grant'].flatMap(
    (service) => compose.services[service]?.command?.slice(2) ?? [],
  )
  expect(granted.toSorted()).toEqual(Object.keys(PROGRAMS).toSorted())
})

/** The services that share a network with this one. */
function reachableFrom(service: string): string[] {
  return Object.keys(compose.services).filter((other) => shared(service, other).length > 0)
}

function shared(service: string, other: string): string[] {
  const [ours, theirs] = [service, other].map((name) => compose.services[name]?.networks ?? [])
  return ours!.filter((network) => theirs!.includes(network))
}

describe.each(Object.entries(PROGRAMS).filter(([service]) => service !== 'migrate'))(
  '%s in compose',
  (service, role) => {
    test('answers its health check where it listens', () => {
      const settings = settingsOf(service, role)
      const { host, port } = settings.statusAddress
      expect(host).toBe('0.0.0.0')
      const check = compose.services[service]?.healthcheck?.test.join(' ')
      expect(check).toContain(`http://127.0.0.1:${port}/readyz`)
      expect(compose.services[service]?.command).toEqual(['start', role])
      for (const published of compose.services[service]?.ports ?? []) {
        expect(published, 'operators’ port is published').not.toEndWith(`:${port}`)
      }
      // One address for each container of the service.
      const [discovery, ...more] = scrapeJobs(read('ops/prometheus/prometheus.yml'))[service]!
      expect(more).toEqual([])
      expect(discovery).toMatchObject({ names: [service], type: 'A', port })
    })
  },
)

interface Discovery {
  readonly names: readonly string[]
  readonly type: string
  readonly port: number
}

/** The service discoveries of each job. */
function scrapeJobs(config: string): Record<string, Discovery[]> {
  const { scrape_configs } = parse(config) as {
    scrape_configs: { job_name: string; dns_sd_configs: Discovery[] }[]
  }
  return Object.fromEntries(scrape_configs.map((job) => [job.job_name, job.dns_sd_configs]))
}

test.each([
  ['', [8003]],
  ['1', [8003]],
  ['3', [8003, 8004, 8005]],
])('Prometheus asks every one of API_PROCESSES=%p', async (processes, ports) => {
  await using folder = await temporaryFolder()
  const [config, stub] = [join(folder.path, 'made.yml'), join(folder.path, 'prometheus')]
  writeFileSync(stub, '#!/bin/sh\necho "$@"\n', { mode: 0o755 })
  const run = Bun.spawnSync(['sh', join(root, 'ops/prometheus/start.sh')], {
    env: {
      PATH: `${folder.path}:/usr/bin:/bin`,
      CONFIG: config,
      API_PROCESSES: processes,
    },
  })
  expect(run.stdout.toString()).toContain(`--config.file=${config} `)
  const { api, ...others } = scrapeJobs(readFileSync(config, 'utf8'))
  expect(api!.map(({ port }) => port)).toEqual(ports)
  const { api: _, ...unchanged } = scrapeJobs(read('ops/prometheus/prometheus.yml'))
  expect(others).toEqual(unchanged)
})

test.skipIf(!redisServerBinary)(
  'Redis asks for its secret, and takes what memory the container has',
  async () => {
    await using folder = await temporaryFolder()
    const limit = join(folder.path, 'memory.max')
    for (const [given, taken] of [
      [String(300 * 2 ** 20), String(200 * 2 ** 20)],
      ['max', String(2 ** 30)],
    ]) {
      writeFileSync(limit, given!)
      const port = freePort()
      await using server = Bun.spawn(['sh', join(root, 'ops/redis/start.sh')], {
        env: {
          ...commandEnvironment(),
          SECRET: join(secretsFolder, 'redis-password'),
          LIMIT: limit,
          MORE: `port ${port}\nbind 127.0.0.1\ndir ${folder.path}`,
        },
        stdout: 'ignore',
      })
      const ask = (password: string, ...words: string[]) =>
        Bun.spawnSync(['redis-cli', '-p', String(port), ...words], {
          env: { ...commandEnvironment(), REDISCLI_AUTH: password },
        }).stdout.toString()
      const password = secretOf('redis-password')
      await eventually(() => ask(password, 'PING').includes('PONG'), { what: 'Redis answers' })
      expect(ask(password, 'CONFIG', 'GET', 'maxmemory').trim().split('\n').at(-1)).toBe(taken!)
      expect(ask(password, 'CONFIG', 'GET', 'maxmemory-policy')).toContain('allkeys-lru')
      expect(ask(password, 'CONFIG', 'GET', 'save').trim()).toBe('save')
      expect(ask('another', 'PING')).not.toContain('PONG')
      server.kill()
      await server.exited
    }
  },
)

const STORES = ['mysql', 'redis', 'kafka', 'elasticsearch']
/** How long a program may take to end what is in flight. */
const DRAIN_MS = 15_000
/** What an image cannot do without. */
const CAPABILITIES: Readonly<Record<string, string>> = { proxy: 'NET_BIND_SERVICE' }

function bytesOf(size: string | undefined): number {
  const [, number, unit] = /^(\d+)([mg])$/.exec(interpolate(size ?? '', {})) ?? []
  return Number(number) * (unit === 'g' ? 2 ** 30 : 2 ** 20)
}

describe('compose', () => {
  test('every service can have several containers but those that hold a port of this machine or files', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.container_name, name).toBeUndefined()
      if (name in PROGRAMS) expect([name, service.ports ?? []]).toEqual([name, []])
    }
  })

  test('the one published port is the proxy’s, whose network the api trusts', () => {
    const port = settingsOf('api', 'api').address.port
    expect(compose.services.proxy?.ports).toEqual([`127.0.0.1:\${WEB_PORT:-8000}:8000`])
    const caddyfile = read('ops/caddy/compose.Caddyfile')
    expect(caddyfile).toMatch(new RegExp(`name api\\s+port ${port}\\s`))
    expect(caddyfile).toContain('trusted_proxies {$SUBNET}')
    expect(shared('proxy', 'api')).toEqual(['front'])
    const subnet = interpolate(compose.networks.front!.ipam!.config[0]!.subnet, {})
    expect(environmentOf('proxy').SUBNET).toBe(subnet)
    expect(environmentOf('api').TRUSTED_PROXIES).toBe(subnet)
  })

  describe.each(Object.entries(compose.services))('%s', (name, service) => {
    test('writes nothing but its volumes and memory, and gains no rights', () => {
      expect(service.read_only).toBe(true)
      expect(service.cap_drop).toEqual(['ALL'])
      expect(service.cap_add ?? []).toEqual(name in CAPABILITIES ? [CAPABILITIES[name]!] : [])
      expect(service.security_opt).toEqual(['no-new-privileges:true'])
      expect(service.privileged).toBeUndefined()
      for (const mount of service.tmpfs ?? []) {
        // Without a mode it has that of the image's folder, which is root's.
        expect(mount).toMatch(/^\/[\w/-]+:mode=1777,(exec,)?size=\d+m$/)
      }
      for (const volume of service.volumes ?? []) {
        if (volume.startsWith('.')) expect(volume).toEndWith(':ro')
      }
    })

    test('has bounds of memory, processes and logs', () => {
      const limit = bytesOf(service.mem_limit)
      expect(limit).toBeGreaterThan(0)
      const inMemory = (service.tmpfs ?? []).map((mount) => bytesOf(mount.split('size=')[1]))
      expect(inMemory.reduce((sum, each) => sum + each, 0)).toBeLessThan(limit / 2)
      expect(service.pids_limit).toBeGreaterThan(0)
      expect(service.logging).toEqual({
        driver: 'json-file',
        options: { 'max-size': '10m', 'max-file': '5' },
      })
    })

    test('has no secret in its environment', () => {
      for (const [key, value] of Object.entries(environmentOf(name))) {
        if (
          /PASSWORD|SECRET|TOKEN|API_KEY/.test(key) &&
          key !== SETTINGS.rateLimits.password.name
        ) {
          expect(key).toMatch(/_FILE$/)
          const isSecret = value.startsWith(`${SECRETS_FOLDER}/`)
          if (isSecret) expect(service.secrets).toContain(value.slice(SECRETS_FOLDER.length + 1))
          else expect(value).toStartWith(`${CREDENTIALS_FOLDER}/${name}/`)
        }
        expect(value).not.toMatch(/:\/\/[^/]*:[^/]*@/)
      }
    })

    test('is only where it has to be', () => {
      if (service.network_mode) expect([name, service.network_mode]).toEqual(['preflight', 'none'])
      else expect(service.networks?.length).toBeGreaterThan(0)
      for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty(network)
      const isPublished = (service.ports ?? []).length > 0
      expect(isPublished).toBe(['proxy', 'grafana', 'prometheus'].includes(name))
      if (STORES.includes(name)) expect(service.networks).toEqual(['stores'])
      // By two networks a name has two addresses: each container would be asked twice.
      for (const other of Object.keys(compose.services)) {
        if (other === name || service.networks?.includes('stores')) continue
        expect(shared(name, other).length, other).toBeLessThanOrEqual(1)
      }
    })
  })

  test('the limits of memory leave room for half as much again as was measured', () => {
    const page = read('docs/03-operations.md')
    const rows = [...page.matchAll(/^\| `(\w+_MEMORY)` \| ([\w-]+) \| (\d+) MiB \| (\d+) MiB/gm)]
    const variables = new Set(
      [...read('compose.yaml').matchAll(/\$\{(\w+_MEMORY):-/g)].map(([, name]) => name),
    )
    expect(new Set(rows.map(([, name]) => name))).toEqual(variables)
    for (const [, variable = '', service = '', measured, limit] of rows) {
      const { mem_limit } = compose.services[service]!
      expect(mem_limit).toStartWith(`\${${variable}:-`)
      expect([service, bytesOf(mem_limit)]).toEqual([service, Number(limit) * 2 ** 20])
      expect(Number(limit), service).toBeGreaterThanOrEqual(1.5 * Number(measured))
      if (service === 'cdc-indexer') {
        expect(Number(measured) * 2 ** 20).toBeGreaterThan(cdcIndexer.runtimeMemory ?? 0)
      }
    }
  })

  test('nothing leads from the stores to another machine, and only our programs reach them', () => {
    expect(compose.networks).toMatchObject({
      stores: { internal: true },
      services: { internal: true },
    })
    const reaching = Object.keys(compose.services).filter((name) =>
      compose.services[name]?.networks?.includes('stores'),
    )
    expect(reaching.toSorted()).toEqual(
      [...STORES, ...Object.keys(PROGRAMS), 'grant', 'grant-migrate'].toSorted(),
    )
  })

  test('each program of ours has time to drain, whatever DRAIN_DELAY is', () => {
    const drains = (DRAIN_DELAY: string) => {
      try {
        return settingsOf('api', 'api', { DRAIN_DELAY }).drainDelay
      } catch {
        return 0
      }
    }
    const longest = Math.max(...Array.from({ length: 1_000 }, (_, n) => drains(String(n))))
    for (const [service, delay] of [
      ['api', longest],
      ['fanout-worker', 0],
      ['cdc-indexer', 0],
    ] as const) {
      const grace = Number(compose.services[service]?.stop_grace_period?.replace(/s$/, ''))
      expect([service, grace]).toEqual([service, Math.max(grace, delay + DRAIN_MS / 1_000 + 1)])
    }
  })

  test('no program is given a default that it has itself', () => {
    for (const service of Object.keys(PROGRAMS)) {
      for (const [name, value] of Object.entries(environmentOf(service))) {
        if (name in DECIDED || name === 'TRUSTED_PROXIES') continue
        expect([name, value]).toEqual([name, name.endsWith('_FILE') ? value : ''])
      }
    }
  })

  test('without secrets no program of ours would start', () => {
    for (const [service, role] of RUNS) {
      expect(() => loadSettings(environmentOf(service), { role })).toThrow(/_FILE: .*ENOENT/)
    }
  })

  test('every secret is made by init, is checked before any server starts, and is used', () => {
    const preflight = read('ops/preflight.sh')
    expect(Object.keys(compose.secrets)).toEqual([...SECRETS])
    for (const name of SECRETS) {
      expect(compose.secrets[name]).toEqual({ file: `secrets/${name}` })
      expect(compose.services.preflight?.secrets).toContain(name)
      expect(preflight).toContain(`check ${name} `)
      const users = Object.entries(compose.services).filter(([, { secrets }]) =>
        secrets?.includes(name),
      )
      expect(users.length, name).toBeGreaterThan(1)
    }
    expect(read('.gitignore').split('\n')).toContain('/secrets/')
    for (const server of [...STORES, 'prometheus']) {
      expect(compose.services[server]?.depends_on?.preflight?.condition).toBe(
        'service_completed_successfully',
      )
    }
  })

  test('preflight names what is missing, and lets whole secrets pass', async () => {
    const run = (folder: string) =>
      Bun.spawnSync(['sh', join(root, 'ops/preflight.sh')], {
        env: { PATH: '/usr/bin:/bin', SECRETS: folder },
      })
    await using folder = await temporaryFolder()
    const bare = run(folder.path)
    expect(bare.exitCode).toBe(1)
    for (const name of SECRETS) expect(bare.stderr.toString()).toContain(`secrets/${name} needs`)
    expect(run(secretsFolder).exitCode).toBe(0)
    for (const name of SECRETS) writeFileSync(join(folder.path, name), secretOf(name))
    expect(run(folder.path).exitCode).toBe(0)
    writeFileSync(join(folder.path, 'redis-password'), 'p@ss/word:that:breaks')
    expect(run(folder.path).exitCode).toBe(1)
  })

  test('images are pinned, ports stay on 127.0.0.1, everything that stays up has a health check', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      if (service.image !== 'sns:local') expect(service.image, name).toMatch(/:v?\d+\.\d+/)
      for (const port of service.ports ?? []) expect(port, name).toStartWith('127.0.0.1:')
      if (service.restart !== 'no') expect(service.healthcheck, name).toBeDefined()
    }
  })

  test('every file that is mounted is in the repository, every volume declared', () => {
    for (const service of Object.values(compose.services)) {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(':')[0]!
        if (source.startsWith('.')) expect(existsSync(join(root, source)), source).toBe(true)
        else expect(compose.volumes).toHaveProperty(source)
      }
    }
  })

  /** Every variable that the file takes from `.env`. */
  const OPERATORS = [...read('compose.yaml').matchAll(/\$\{(\w+):-/g)].map(([, name]) => name!)
  const OVERRIDES: Readonly<Record<string, string>> = { SUBNET: '172.30.87.0/24' }

  const cli = composeCli()
  if (!cli) console.log('SKIPPED: neither docker compose nor the CLI beside the checkout is here')
  test.skipIf(cli === null)(
    'the Compose CLI accepts it, with and without settings of the operator',
    () => {
      const others = Object.fromEntries(OPERATORS.map((name) => [name, OVERRIDES[name] ?? '1']))
      for (const env of [{}, others]) {
        const run = Bun.spawnSync([...cli!, 'config', '-q'], {
          cwd: root,
          env: { ...commandEnvironment(), ...env },
        })
        expect(run.stderr.toString()).toBe('')
        expect(run.exitCode).toBe(0)
      }
    },
    300_000,
  )
})

/** The docker plugin where there is one, else the CLI that stands beside the checkout; null if neither. */
function composeCli(): string[] | null {
  if (Bun.spawnSync(['sh', '-c', 'docker compose version']).exitCode === 0) {
    return ['docker', 'compose']
  }
  const beside = join(root, '../shared/tools/docker-compose')
  return existsSync(beside) ? [beside] : null
}
