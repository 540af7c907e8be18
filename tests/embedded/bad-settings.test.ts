import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, spawnProgram } from '../../scripts/process/program-process'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-settings-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function refusal(script: string, args: string[], env: Record<string, string>) {
  const database = `sqlite:${join(folder, 'sns.db')}`
  await using program = spawnProgram(script, args, {
    DATABASE_URL: database,
    WEB_PORT: '0',
    ...env,
  })
  const code = await program.exited
  return { code, output: program.output() }
}

const MYSQL = 'mysql://sns:hunter2@127.0.0.1:1/sns'
const KEY = 'k'.repeat(32)

describe('exit 2 and one line that names the setting', () => {
  test.each([
    ['start', [], { WEB_PORT: '80a' }, 'WEB_PORT is "80a": expected a port from 0 to 65535'],
    [
      'start',
      [],
      { DATABASE_URL: 'postgres://a:hunter2@b/c' },
      'DATABASE_URL: there is no driver "postgres": expected sqlite:PATH or mysql://user:password@host:port/database',
    ],
    [
      'start',
      [],
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL is "loud": expected one of trace, debug, info, warn, error, fatal, silent',
    ],
    [
      'start',
      [],
      { SECRET_KEY: 'hunter2' },
      'SECRET_KEY: expected 32 characters or more; `openssl rand -hex 32` makes some',
    ],
    [
      'start',
      ['api'],
      { DATABASE_URL: MYSQL },
      'SECRET_KEY is missing: it signs access tokens and has no default outside embedded mode; `openssl rand -hex 32` makes one',
    ],
    [
      'start',
      ['fanout-worker'],
      {},
      'start fanout-worker needs DATABASE_URL=mysql://…: embedded mode runs all services in one process, by start alone',
    ],
    [
      'start',
      ['mailer'],
      {},
      'there is no service "mailer": name one of api, fanout-worker, cdc-indexer, or none for all',
    ],
    [
      'start',
      ['cdc-indexer'],
      { DATABASE_URL: MYSQL, KAFKA_BROKERS: 'kafka' },
      'KAFKA_BROKERS is "kafka": expected host:port,host:port; "kafka" is not that',
    ],
    [
      'migrate',
      [],
      { ES_REPLICAS: 'two' },
      'ES_REPLICAS is "two": expected a number from 0 to 100',
    ],
    ['migrate', ['now'], {}, '"now" is one argument too many; usage: migrate'],
  ] as const)('%s %j %j', async (script, args, env, line) => {
    expect(await refusal(script, [...args], env)).toEqual({ code: 2, output: `sns: ${line}\n` })
  })
})

describe('exit 1 and one line that says what to do', () => {
  test.each(['WEB_PORT', 'METRICS_PORT'])('a port in use, %s', async (setting) => {
    using taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    expect(await refusal('start', [], { [setting]: String(taken.port) })).toEqual({
      code: 1,
      output: `sns: port ${taken.port} on 127.0.0.1 is in use: stop what listens there or choose another ${setting}\n`,
    })
  })

  test('a file that is not a database', async () => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'nothing that SQLite would have written\n'.repeat(100))
    const { code, output } = await refusal('start', [], { DATABASE_URL: `sqlite:${path}` })
    expect(code).toBe(1)
    expect(output).toBe(
      `sns: DATABASE_URL: ${path} is not an SQLite database; name another file or move it away\n`,
    )
  })

  test('a database where no folder can be', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    const { code, output } = await refusal('start', [], { DATABASE_URL: `sqlite:${path}/sns.db` })
    expect(code).toBe(1)
    expect(output).toMatch(/^sns: DATABASE_URL: .*\/file\/sns\.db\.lock cannot be made .*\n$/)
  })

  test('a MySQL that is not there', async () => {
    const { code, output } = await refusal('start', ['api'], {
      DATABASE_URL: MYSQL,
      SECRET_KEY: KEY,
    })
    expect(code).toBe(1)
    expect(output).toBe(
      'sns: DATABASE_URL: MySQL at 127.0.0.1:1 cannot be reached (ECONNREFUSED); start it or correct the address\n',
    )
  })

  test('a database that another process serves; the other process keeps running', async () => {
    const env = { DATABASE_URL: `sqlite:${join(folder, 'sns.db')}`, WEB_PORT: String(freePort()) }
    const url = `http://127.0.0.1:${env.WEB_PORT}`
    await using first = spawnProgram('start', [], env)
    await first.ready(url)
    for (const script of ['start', 'migrate']) {
      const { code, output } = await refusal(script, [], {})
      expect(code).toBe(1)
      expect(output).toBe(
        `sns: ${join(folder, 'sns.db')} is in use by another sns process: stop that one, or give this one another DATABASE_URL\n`,
      )
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await first.stop()).toBe(0)
  })
})
