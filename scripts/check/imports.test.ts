import { beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import biome from '../../biome.json'

const root = join(import.meta.dir, '../..')

const FORBIDDEN = [
  ['shared/src/domain', "import { createRedisClient } from '../adapters/redis/client'"],
  ['shared/src/domain', "import type { TimelineStore } from '../ports/timeline-store'"],
  ['shared/src/domain', "const r = await import('../adapters/redis/client')"],
  ['shared/src/domain', "import { z } from '@sns/shared/ports/health'"],
  ['shared/src/errors', "import { z } from '../domain/id'"],
  ['shared/src/config', "import { createLogger } from '../observability/logger'"],
  ['shared/src/observability', "import type { HealthCheck } from '../ports/health'"],
  ['shared/src/events', "import type { ChangeLog } from '../ports/change-log'"],
  ['shared/src/ports', "export { y } from '../adapters/memory/timeline-store'"],
  ['shared/src/adapters', "import { Redis } from 'ioredis'"],
  ['shared/src/adapters/memory', "const r = await import('ioredis')"],
  ['shared/src/adapters/sql', "import { Database } from 'bun:sqlite'"],
  ['shared/src/adapters/sqlite', "import mysql from 'mysql2/promise'"],
  ['shared/src/adapters/mysql', "import { Kafka } from 'kafkajs'"],
  ['shared/src/adapters/redis', "import { openSqliteDatabase } from '../sqlite/database'"],
  ['shared/src/adapters/kafka', "import { x } from '../../runtime/backend'"],
  ['shared/src/adapters/elasticsearch', "import { sql } from 'kysely'"],
  ['shared/src/runtime', "import { Client } from '@elastic/elasticsearch'"],
  ['shared/src/runtime', "import { manualClock } from '../testing/manual-clock'"],
  ['shared/src/runtime', "import { api } from '@sns/api/main'"],
  ['shared/src/unlisted', "import { join } from 'node:path'"],
  ['services/api/src/modules/feed', "import { Elysia } from 'elysia'"],
  ['services/api/src/modules/feed', "import { x } from '../../../../fanout-worker/src/audiences'"],
  [
    'services/api/src/modules/feed',
    "import { z } from '@sns/shared/adapters/memory/timeline-store'",
  ],
  ['services/api/src/modules/feed', "import { x } from '../../testing/expectations'"],
  ['services/api/src/modules/feed', "import { x } from './service.test'"],
  ['services/api/src/security', "import { z } from '@sns/cdc-indexer/main'"],
  ['services/api/src/http', "import { z } from '@sns/cdc-indexer/main'"],
  ['services/cdc-indexer/src/capture', "import { createPool } from 'mysql2'"],
  ['shared/src/adapters/mysql', "import ZongJi from '@vlasky/zongji'"],
  ['services/cdc-indexer/src/index', "import '../capture/kafka/change-publisher'"],
  ['services/cdc-indexer/src/capture', "import './kafka/change-publisher'"],
  ['services/cdc-indexer/src/capture/ports', "import { x } from '../capture'"],
  ['services/cdc-indexer/src/capture/kafka', "import mysql from 'mysql2/promise'"],
  ['services/cdc-indexer/src/capture/mysql', "import { y } from '../capture'"],
  ['scripts', "import 'bun:sqlite'"],
  ['scripts', "import { eventually } from '@sns/shared/testing/eventually'"],
  ['services/api/src', 'export const key = process.env.SECRET_KEY'],
  ['services/api/src', 'export const key = Bun.env.SECRET_KEY'],
  ['scripts', 'export const key = import.meta.env.SECRET_KEY'],
  ['scripts/dlq', 'await producer.sendBatch(batch)'],
  ['scripts/dlq', 'await producer.send({ topic, messages })'],
  [
    'shared/src/adapters/kafka',
    "await kafka.producer().send({ acks: -1, messages, topic: 'posts' })",
  ],
] as const

const ALLOWED = [
  ['shared/src/domain', "// import { y } from '../adapters/redis/client'\n/* import 'ioredis' */"],
  ['shared/src/adapters/redis', "import { Redis } from 'ioredis'"],
  ['shared/src/adapters/sqlite', "import { createQueries } from '../sql/kysely-database'"],
  ['services/fanout-worker/src', "import { x } from '@sns/shared/ports/graph-store'"],
  ['services/cdc-indexer/src/capture/mysql', "import ZongJi from '@vlasky/zongji'"],
  [
    'services/cdc-indexer/src/capture/kafka',
    "import { y } from '@sns/shared/adapters/kafka/kafka-client'",
  ],
  ['scripts', "import { api } from '@sns/api/main'"],
  ['shared/src/testing', "import { Redis } from 'ioredis'\nexport const url = process.env.URL"],
  ['shared/src/adapters/kafka', 'await sendRecords(producer, topics)\nstream.send({ data })'],
] as const

/** Files that only their names make a case. */
const FILES = {
  'services/fanout-worker/src/main.ts': "import { x } from '@sns/api/main'",
  'services/api/src/main.ts': "import { x } from '@sns/shared/runtime/program'",
  'services/api/src/client.ts': "import { x } from '@sns/shared/runtime/program'",
  'services/api/src/modules/feed/routes.ts': "import { Elysia } from 'elysia'",
  'services/api/src/modules/feed/service.test.ts': "import { Redis } from 'ioredis'",
  'shared/src/runtime/status-app.ts':
    "import { x } from './backend'\nimport { y } from '../domain/id'",
  'shared/src/config/environment.ts': 'export const environment = process.env',
  'shared/src/domain/one.ts': "import type { Two } from './two'\nexport type One = Two",
  'shared/src/domain/two.ts': "import type { Three } from './three'\nexport type Two = Three",
  'shared/src/domain/three.ts': "import type { One } from './one'\nexport type Three = One",
  'shared/src/ports/top.ts': "export { left } from './left'\nexport { right } from './right'",
  'shared/src/ports/left.ts': "import { bottom } from './bottom'\nexport const left = bottom",
  'shared/src/ports/right.ts': "import { bottom } from './bottom'\nexport const right = bottom",
  'shared/src/ports/bottom.ts': 'export const bottom = 1',
}

const path = (kind: string, index: number, folder: string) => `${folder}/${kind}-${index}.ts`

/** The rules that the linter says a file breaks, by the file. */
const broken = new Map<string, string[]>()

beforeAll(() => {
  const checkout = mkdtempSync(join(tmpdir(), 'sns-imports-'))
  const write = (file: string, source: string) => {
    mkdirSync(dirname(join(checkout, file)), { recursive: true })
    writeFileSync(join(checkout, file), `${source}\n`)
  }
  for (const file of ['biome.json', ...biome.extends, ...biome.plugins]) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true })
    copyFileSync(join(root, file), join(checkout, file))
  }
  for (const [file, source] of Object.entries(FILES)) write(file, source)
  for (const [index, [folder, source]] of FORBIDDEN.entries()) {
    write(path('forbidden', index, folder), source)
  }
  for (const [index, [folder, source]] of ALLOWED.entries()) {
    write(path('allowed', index, folder), source)
  }
  const { stdout, stderr } = Bun.spawnSync(
    [
      ...[process.execPath, '--bun', join(root, 'node_modules/.bin/biome'), 'lint'],
      ...['--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '.'],
    ],
    { cwd: checkout, stderr: 'pipe' },
  )
  rmSync(checkout, { recursive: true })
  if (stdout.length === 0) throw new Error(`the linter did not run: ${stderr}`)
  const lines = stdout.toString().matchAll(/title=(lint\/\w+\/(\w+)|plugin),file=([^,]+),/g)
  for (const [, title = '', rule = title, file = ''] of lines) {
    const relative = file.slice(file.indexOf(checkout) + checkout.length + 1)
    broken.set(relative, [...(broken.get(relative) ?? []), rule])
  }
})

const IMPORTS = ['noRestrictedImports', 'noProcessEnv', 'noImportCycles', 'plugin']
const problems = (file: string) => (broken.get(file) ?? []).filter((rule) => IMPORTS.includes(rule))

test.each(FORBIDDEN.map(([folder, source], index) => [folder, source, index] as const))(
  '%s may not: %s',
  (folder, _, index) => {
    expect(problems(path('forbidden', index, folder))).not.toEqual([])
  },
)

test.each(ALLOWED.map(([folder, source], index) => [folder, source, index] as const))(
  '%s may: %s',
  (folder, _, index) => {
    expect(problems(path('allowed', index, folder))).toEqual([])
  },
)

describe('by the name of the file', () => {
  test.each([
    ['services/fanout-worker/src/main.ts', ['noRestrictedImports']],
    ['services/api/src/main.ts', []],
    ['services/api/src/client.ts', ['noRestrictedImports']],
    ['services/api/src/modules/feed/routes.ts', []],
    ['services/api/src/modules/feed/service.test.ts', []],
    ['shared/src/runtime/status-app.ts', ['noRestrictedImports']],
    ['shared/src/config/environment.ts', []],
  ] as const)('%s breaks %p', (file, rules) => {
    expect(problems(file)).toEqual([...rules])
  })
})

describe('cycles', () => {
  test('one through three files is found, of types too', () => {
    for (const file of ['one', 'two', 'three']) {
      expect(problems(`shared/src/domain/${file}.ts`)).toEqual(['noImportCycles'])
    }
  })

  test('a diamond is none', () => {
    for (const file of ['top', 'left', 'right', 'bottom']) {
      expect(problems(`shared/src/ports/${file}.ts`)).toEqual([])
    }
  })
})
