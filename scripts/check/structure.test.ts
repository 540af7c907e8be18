import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { importCycles } from './cycles'
import { parseImports } from './imports'
import { environmentProblems, layerProblems } from './layers'
import { structureProblems } from './structure'

const root = join(import.meta.dir, '../..')

function problems(file: string, source: string): string[] {
  return layerProblems(parseImports(root, file, source))
}

describe('layers', () => {
  test('the house itself stands', () => {
    expect(structureProblems(root)).toEqual([])
  })

  test.each([
    ['shared/src/domain/x.ts', "import { createRedisClient } from '../adapters/redis/client'"],
    ['shared/src/domain/x.ts', "import type { TimelineStore } from '../ports/timeline-store'"],
    ['shared/src/ports/x.ts', "export { y } from '../adapters/memory/timeline-store'"],
    ['shared/src/adapters/memory/x.ts', "const r = await import('ioredis')"],
    ['shared/src/adapters/sqlite/x.ts', "import mysql from 'mysql2/promise'"],
    ['services/api/src/modules/feed/service.ts', "import { Elysia } from 'elysia'"],
    ['services/api/src/app.ts', "import { z } from '@sns/cdc-indexer/main'"],
    ['services/api/src/app.ts', "import { z } from '@sns/shared/adapters/memory/post-cache'"],
    ['services/api/src/app.ts', "import { z } from '@sns/shared/testing/eventually'"],
    ['shared/src/adapters/mysql/x.ts', "import ZongJi from '@vlasky/zongji'"],
    ['services/cdc-indexer/src/capture/capture.ts', "import './kafka/change-publisher'"],
    ['services/cdc-indexer/src/capture/kafka/x.ts', "import mysql from 'mysql2/promise'"],
    ['services/cdc-indexer/src/capture/mysql/x.ts', "import { y } from '../capture'"],
    ['scripts/x.ts', "import 'bun:sqlite'"],
  ])('%s may not: %s', (file, source) => {
    expect(problems(file, source)).not.toEqual([])
  })

  test.each([
    ['shared/src/adapters/redis/x.ts', "import { Redis } from 'ioredis'"],
    ['services/api/src/modules/feed/routes.ts', "import { Elysia } from 'elysia'"],
    ['services/cdc-indexer/src/capture/mysql/x.ts', "import ZongJi from '@vlasky/zongji'"],
    [
      'services/cdc-indexer/src/capture/kafka/x.ts',
      "import { y } from '@sns/shared/adapters/kafka/kafka-client'",
    ],
    ['services/api/src/main.ts', "import { x } from '@sns/shared/runtime/program'"],
    [
      'shared/src/domain/x.ts',
      "// import { y } from '../adapters/redis/client'\n/* import 'ioredis' */",
    ],
  ])('%s may: %s', (file, source) => {
    expect(problems(file, source)).toEqual([])
  })

  test('the environment is read in config only', () => {
    expect(environmentProblems('services/api/src/app.ts', 'process.env.SECRET_KEY')).toHaveLength(1)
    expect(environmentProblems('shared/src/config/load.ts', 'process.env.SECRET_KEY')).toEqual([])
  })
})

describe('cycles', () => {
  const edge = (from: string, to: string) => ({ from, specifier: to, target: { file: to } })

  test('finds one through three files, type imports too', () => {
    expect(importCycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a')])).toEqual([
      ['a', 'b', 'c', 'a'],
    ])
  })

  test('a diamond is none', () => {
    expect(importCycles([edge('a', 'b'), edge('a', 'c'), edge('b', 'd'), edge('c', 'd')])).toEqual(
      [],
    )
  })
})
