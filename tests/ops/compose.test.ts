import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandEnvironment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { listSettings, type Reader, SETTINGS, type Setting } from '@sns/shared/config/settings'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { parse } from 'yaml'

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
  depends_on?: Record<string, { condition: string }>
}

const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
  networks: { default: { ipam: { config: { subnet: string }[] } } }
}

/** Our own programs as compose runs them. */
const PROGRAMS: Record<string, Reader> = {
  migrate: 'migrate',
  api: 'api',
  'fanout-worker': 'fanout-worker',
  'cdc-indexer': 'cdc-indexer',
}

/** Settings of which compose itself has the value, and why. Every other one is the operator's. */
const DECIDED: Readonly<Record<string, string>> = {
  WEB_HOST: 'a container is reached from the network of compose alone',
  WEB_PORT: 'the port within the container; on this machine the proxy has the WEB_PORT of .env',
  METRICS_PORT: 'health checks and Prometheus ask there',
  DATABASE_URL: 'the mysql of compose, by the password of .env',
  REDIS_URL: 'the redis of compose, by the password of .env',
  REDIS_CA: 'the network of compose is inside one machine',
  REDIS_HOST: 'REDIS_URL has it',
  REDIS_PORT: 'REDIS_URL has it',
  REDIS_DB: 'REDIS_URL has it',
  KAFKA_BROKERS: 'the kafka of compose',
  ES_URL: 'the elasticsearch of compose',
  ES_CA: 'the network of compose is inside one machine',
  ES_HOST: 'ES_URL has it',
  ES_PORT: 'ES_URL has it',
  ES_API_KEY: 'the password of .env is used',
  ES_ID: 'the user that every Elasticsearch has',
}

/** What an operator has to set in `.env`. */
const SECRETS = {
  MYSQL_ROOT_PASSWORD: 'mysql-root-password-1',
  MYSQL_PASSWORD: 'mysql-password-12345',
  REDIS_PASSWORD: 'redis-password-12345',
  ES_PASSWORD: 'elastic-password-123',
  GRAFANA_PASSWORD: 'grafana-password-123',
  SECRET_KEY: 'a-secret-key-of-more-than-32-characters',
}

/** Compose's interpolation, as far as the file uses it: `${NAME:-default}` and `$$`. */
function interpolate(value: string, env: Record<string, string>): string {
  return value
    .replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => env[name] || fallback)
    .replaceAll('$$', '$')
}

function environmentOf(service: string, env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(String(value), env),
    ]),
  )
}

function isReadBy(setting: Setting, role: Reader): boolean {
  return setting.readBy === 'all' || setting.readBy.includes(role)
}

describe.each(Object.entries(PROGRAMS))('%s in compose', (service, role) => {
  test('is given only settings that it reads', () => {
    for (const name of Object.keys(environmentOf(service, SECRETS))) {
      const setting = listSettings().find((each) => each.name === name)
      expect(setting, `${name} is no setting`).toBeDefined()
      expect(isReadBy(setting!, role), `${service} does not read ${name}`).toBe(true)
    }
  })

  test('is passed every setting that it reads', () => {
    for (const { name } of listSettings().filter((each) => isReadBy(each, role))) {
      const passed = environmentOf(service, { ...SECRETS, [name]: 'as the operator has it' })[name]
      if (name in DECIDED) expect(passed, name).not.toBe('as the operator has it')
      else expect(passed, `compose drops ${name}`).toBe('as the operator has it')
    }
  })

  test('is given every store it uses, by names that compose knows', () => {
    const settings = loadSettings(environmentOf(service, SECRETS), { role })
    const hosts = new Set(Object.keys(compose.services))
    const env = environmentOf(service, SECRETS)
    expect(settings.database).toMatchObject({ kind: 'mysql', host: 'mysql', port: 3306 })
    if (isReadBy(SETTINGS.redis.url, role)) {
      if ('cluster' in settings.redis) throw new Error('compose runs one redis')
      const url = new URL(settings.redis.url)
      expect(hosts).toContain(url.hostname)
      expect(url.password).toBe(SECRETS.REDIS_PASSWORD)
    }
    if (isReadBy(SETTINGS.kafka.brokers, role)) {
      expect(env.KAFKA_BROKERS).toBeDefined()
      for (const broker of settings.kafka.brokers) expect(hosts).toContain(broker.split(':')[0]!)
    }
    if (isReadBy(SETTINGS.elasticsearch.url, role)) {
      expect(hosts).toContain(new URL(settings.elasticsearch.urls[0]).hostname)
      expect(settings.elasticsearch.auth).toHaveProperty('password', SECRETS.ES_PASSWORD)
    }
    if (role === 'api') expect(settings.secretKey).toBe(SECRETS.SECRET_KEY)
  })

  test('starts after what it needs is ready', () => {
    const needs = compose.services[service]?.depends_on ?? {}
    if (service === 'migrate') {
      for (const server of ['mysql', 'kafka', 'elasticsearch']) {
        expect(needs[server]?.condition).toBe('service_healthy')
      }
    } else {
      expect(needs.migrate?.condition).toBe('service_completed_successfully')
    }
  })
})

describe.each(Object.entries(PROGRAMS).filter(([service]) => service !== 'migrate'))(
  '%s in compose',
  (service, role) => {
    test('answers its health check where it listens', () => {
      const settings = loadSettings(environmentOf(service, SECRETS), { role })
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

describe('compose', () => {
  test('every service can have several containers but those that hold a port of this machine or files', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.container_name, name).toBeUndefined()
      if (name in PROGRAMS) expect([name, service.ports ?? []]).toEqual([name, []])
    }
  })

  test('the one published port is the proxy’s, whose network the api trusts', () => {
    const port = loadSettings(environmentOf('api', SECRETS), { role: 'api' }).address.port
    expect(compose.services.proxy?.ports).toEqual([`127.0.0.1:\${WEB_PORT:-8000}:8000`])
    const caddyfile = read('ops/caddy/compose.Caddyfile')
    expect(caddyfile).toMatch(new RegExp(`name api\\s+port ${port}\\s`))
    expect(caddyfile).toContain('trusted_proxies {$SUBNET}')
    const subnet = interpolate(compose.networks.default.ipam.config[0]!.subnet, SECRETS)
    expect(environmentOf('proxy', SECRETS).SUBNET).toBe(subnet)
    expect(environmentOf('api', SECRETS).TRUSTED_PROXIES).toBe(subnet)
  })

  test('no log fills the disk', () => {
    for (const [name, { logging }] of Object.entries(compose.services)) {
      expect([name, logging?.driver]).toEqual([name, 'json-file'])
      expect(logging!.options).toEqual({ 'max-size': '10m', 'max-file': '5' })
    }
  })

  test('no program is given a default that it has itself', () => {
    for (const service of Object.keys(PROGRAMS)) {
      for (const [name, value] of Object.entries(environmentOf(service, {}))) {
        if (name in DECIDED || name === 'TRUSTED_PROXIES') continue
        expect([name, value]).toEqual([name, ''])
      }
    }
  })

  test('without secrets no program of ours would start', () => {
    expect(() => loadSettings(environmentOf('api', {}), { role: 'api' })).toThrow(
      /REDIS_URL|SECRET_KEY|ES_PASSWORD|DATABASE_URL/,
    )
  })

  test('every secret is checked before any server starts', () => {
    const preflight = read('ops/preflight.sh')
    for (const name of Object.keys(SECRETS)) {
      expect(compose.services.preflight?.environment).toHaveProperty(name)
      expect(preflight).toContain(`check ${name} `)
    }
    for (const server of ['mysql', 'redis', 'kafka', 'elasticsearch', 'prometheus']) {
      expect(compose.services[server]?.depends_on?.preflight?.condition).toBe(
        'service_completed_successfully',
      )
    }
  })

  test('preflight names what is missing, and lets whole settings pass', () => {
    const run = (env: Record<string, string>) =>
      Bun.spawnSync(['sh', join(root, 'ops/preflight.sh')], {
        env: { PATH: '/usr/bin:/bin', ...env },
      })
    const bare = run({})
    expect(bare.exitCode).toBe(1)
    for (const name of Object.keys(SECRETS)) expect(bare.stderr.toString()).toContain(name)
    expect(run({ ...SECRETS, REDIS_PASSWORD: 'p@ss/word:that:breaks' }).exitCode).toBe(1)
    expect(run(SECRETS).exitCode).toBe(0)
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

  const cli = composeCli()
  if (!cli) console.log('SKIPPED: neither docker compose nor the CLI beside the checkout is here')
  test.skipIf(cli === null)(
    'the Compose CLI accepts it, with and without secrets',
    () => {
      for (const env of [{}, SECRETS]) {
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
