import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Certificates, makeCertificates } from '@sns/shared/testing/certificates'
import { eventually } from '@sns/shared/testing/eventually'
import {
  hasMysqlServer,
  type MysqlServerProcess,
  startMysqlServer,
} from '@sns/shared/testing/mysql-server'
import { createServerNames, type ServerNames } from '@sns/shared/testing/server-names'
import { hasAllTestServers } from '@sns/shared/testing/servers'
import { freePort, spawnProgram } from '../../scripts/process/program-process'
import { signUp } from '../journey'

if (!hasMysqlServer) console.log('SKIPPED: no mysqld here to start with certificates')

describe.skipIf(!hasAllTestServers || !hasMysqlServer)('a MySQL that demands encryption', () => {
  const opened = new AsyncDisposableStack()
  let names: ServerNames
  let certificates: Certificates
  let demanding: MysqlServerProcess
  /** Whose certificate names another host. */
  let elsewhere: MysqlServerProcess
  let plain: MysqlServerProcess

  beforeAll(async () => {
    names = opened.use(await createServerNames())
    certificates = opened.use(await makeCertificates())
    const { ca, cert, key, elsewhereCert } = certificates
    const accounts = [
      `create database ${names.database}`,
      "create user tls@'%' identified by 'p@ss'",
      "grant all on *.* to tls@'%'",
      "create user known@'%' identified by 'p@ss' require x509",
      "grant all on *.* to known@'%'",
    ]
    const start = async (...options: string[]) =>
      opened.use(await startMysqlServer(accounts, options))
    ;[demanding, elsewhere, plain] = await Promise.all([
      start(
        ...[`--ssl-ca=${ca}`, `--ssl-cert=${cert}`, `--ssl-key=${key}`],
        '--require-secure-transport=ON',
      ),
      start(`--ssl-ca=${ca}`, `--ssl-cert=${elsewhereCert}`, `--ssl-key=${key}`),
      start('--tls-version='),
    ])
  }, 120_000)
  afterAll(() => opened.disposeAsync())

  const urlOf = (
    { port }: MysqlServerProcess,
    parameters: string,
    { user = 'tls', password = 'p%40ss', host = '127.0.0.1' } = {},
  ) => `mysql://${user}:${password}@${host}:${port}/${names.database}?${parameters}`

  async function run(script: string, args: readonly string[], url: string) {
    const env = { ...names.env, DATABASE_URL: url, WEB_PORT: '0', METRICS_PORT: '0' }
    await using program = spawnProgram(script, args, env)
    return { code: await program.exited, output: program.output() }
  }

  test('every program works, every connection encrypted', async () => {
    const { ca, cert, key } = certificates
    const url = urlOf(
      demanding,
      `ssl-mode=verify_identity&ssl-ca=${ca}&ssl-cert=${cert}&ssl-key=${key}`,
      { user: 'known' },
    )
    const migrated = await run('migrate', [], url)
    expect([migrated.code, migrated.output]).toEqual([0, expect.any(String)])
    const port = freePort()
    await using suite = spawnProgram('start', [], {
      ...names.env,
      DATABASE_URL: url.replace(':p%40ss@', '@'),
      DATABASE_PASSWORD: 'p@ss',
      WEB_PORT: String(port),
      METRICS_PORT: '0',
    })
    const api = `http://127.0.0.1:${port}`
    await suite.ready(api)
    const { client } = await signUp(api, 'encrypted')
    await client.v1.posts.post({ text: 'an encrypted word' })
    await eventually(
      async () => {
        const { data } = await client.v1.search.posts.get({ query: { q: 'encrypted' } })
        return data?.items.length === 1
      },
      { timeoutMs: 30_000, what: 'capture reads the binlog' },
    )
    for (const [command, ...args] of [
      ['feeds', 'verify', '--all'],
      ['search', 'verify', '--all'],
      ['snapshot', 'posts'],
    ]) {
      const { code, output } = await run(command!, args, url)
      expect([command, code, output]).toEqual([command!, 0, expect.any(String)])
    }
    expect(await suite.stop()).toBe(0)
  }, 120_000)

  test.each([
    ['no encryption', () => urlOf(demanding, ''), 'demands an encrypted connection'],
    [
      'the wrong authority',
      () => urlOf(demanding, `ssl-ca=${certificates.otherCa}`),
      /certificate of MySQL at 127.0.0.1:\d+ is not accepted \(self.signed certificate in/,
    ],
    [
      'an authority that the system does not know',
      () => urlOf(demanding, 'ssl-mode=verify_ca'),
      'is not accepted',
    ],
    [
      'the wrong password',
      () => urlOf(demanding, `ssl-ca=${certificates.ca}`, { password: 'wrong' }),
      'refuses the user or password of tls',
    ],
    [
      'no certificate of its own',
      () => urlOf(demanding, `ssl-ca=${certificates.ca}`, { user: 'known' }),
      'refuses the user or password of known',
    ],
    [
      'another host by address',
      () => urlOf(elsewhere, `ssl-mode=verify_identity&ssl-ca=${certificates.ca}`),
      'is not accepted',
    ],
    [
      'another host by name',
      () =>
        urlOf(elsewhere, `ssl-mode=verify_identity&ssl-ca=${certificates.ca}`, {
          host: 'localhost',
        }),
      'is not accepted',
    ],
    [
      'a server without encryption',
      () => urlOf(plain, 'ssl-mode=required'),
      'offers no encryption',
    ],
  ])(
    'with %s each program ends with one line',
    async (_, url, why) => {
      const programs = [
        ['migrate'],
        ...['api', 'fanout-worker', 'cdc-indexer'].map((service) => ['start', service]),
      ]
      const ended = await Promise.all(
        programs.map(([script, ...args]) => run(script!, args, url())),
      )
      for (const { code, output } of ended) {
        expect(code).toBe(1)
        expect(output).toMatch(/^(sns|migrate): DATABASE_URL: .*\n$/)
        expect(output).toMatch(why)
      }
    },
    60_000,
  )

  test('an authority is enough where the host has another name', async () => {
    for (const parameters of ['ssl-mode=required', `ssl-ca=${certificates.ca}`]) {
      const { code, output } = await run('start', ['api'], urlOf(elsewhere, parameters))
      expect([code, output]).toEqual([1, expect.stringContaining('run migrate')])
    }
  }, 60_000)
})
