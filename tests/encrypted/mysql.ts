import type { Certificates } from '@sns/shared/testing/certificates'
import { type MysqlServerProcess, startMysqlServer } from '@sns/shared/testing/mysql-server'
import {
  API,
  CDC_INDEXER,
  type EncryptedServer,
  FANOUT_WORKER,
  MIGRATE,
  type ProgramLine,
  WRONG_AUTHORITY,
  WRONG_PASSWORD,
} from './encrypted-server'

/** Three servers: one demands encryption, one has another host's certificate, one encrypts nothing. */
export async function startEncryptedMysql(
  { ca, cert, key, otherCa, elsewhereCert }: Certificates,
  database: string,
): Promise<EncryptedServer & AsyncDisposable> {
  await using opened = new AsyncDisposableStack()
  const accounts = [
    `create database ${database}`,
    "create user tls@'%' identified by 'p@ss'",
    "grant all on *.* to tls@'%'",
    "create user known@'%' identified by 'p@ss' require x509",
    "grant all on *.* to known@'%'",
  ]
  const start = async (...options: string[]) =>
    opened.use(await startMysqlServer(accounts, options))
  const [demanding, elsewhere, plain] = await Promise.all([
    start(
      ...[`--ssl-ca=${ca}`, `--ssl-cert=${cert}`, `--ssl-key=${key}`],
      '--require-secure-transport=ON',
    ),
    start(`--ssl-ca=${ca}`, `--ssl-cert=${elsewhereCert}`, `--ssl-key=${key}`),
    start('--tls-version='),
  ])

  const url = (
    { port }: MysqlServerProcess,
    parameters: string,
    { user = 'tls', password = 'p@ss', host = '127.0.0.1' } = {},
  ) => ({
    DATABASE_URL: `mysql://${user}@${host}:${port}/${database}?${parameters}`,
    DATABASE_PASSWORD: password,
  })
  const all = [MIGRATE, API, FANOUT_WORKER, CDC_INDEXER]
  const identity = `ssl-mode=verify_identity&ssl-ca=${ca}`
  const refusal = (
    what: string,
    settings: Readonly<Record<string, string>>,
    says: RegExp,
    ...programs: readonly ProgramLine[]
  ): EncryptedServer['refusals'][number] => ({ with: what, settings, programs, says })
  const resources = opened.move()
  return {
    name: 'MySQL',
    right: url(demanding, `${identity}&ssl-cert=${cert}&ssl-key=${key}`, { user: 'known' }),
    alsoRight: {
      'an authority where the host has another name': url(elsewhere, `ssl-ca=${ca}`),
      'whoever answers': url(elsewhere, 'ssl-mode=required'),
      'the password in the URL': {
        ...url(demanding, identity, { user: 'tls:p%40ss' }),
        DATABASE_PASSWORD: '',
      },
    },
    refusals: [
      refusal(
        WRONG_AUTHORITY,
        url(demanding, `ssl-ca=${otherCa}`),
        /^DATABASE_URL: .*certificate of MySQL at 127.0.0.1:\d+ is not accepted \(self.signed certificate in/,
        ...all,
      ),
      refusal(
        WRONG_PASSWORD,
        url(demanding, `ssl-ca=${ca}`, { password: 'wrong' }),
        /^DATABASE_URL: .*refuses the user or password of tls/,
        ...all,
      ),
      refusal(
        'no encryption',
        url(demanding, ''),
        /^DATABASE_URL: .*demands an encrypted connection/,
        MIGRATE,
        API,
      ),
      refusal(
        'an authority that the system does not know',
        url(demanding, 'ssl-mode=verify_ca'),
        /^DATABASE_URL: .*is not accepted/,
        CDC_INDEXER,
      ),
      refusal(
        'no certificate of its own',
        url(demanding, `ssl-ca=${ca}`, { user: 'known' }),
        /^DATABASE_URL: .*refuses the user or password of known/,
        FANOUT_WORKER,
      ),
      refusal(
        'another host by address',
        url(elsewhere, identity),
        /^DATABASE_URL: .*is not accepted/,
        API,
      ),
      refusal(
        'another host by name',
        url(elsewhere, identity, { host: 'localhost' }),
        /^DATABASE_URL: .*is not accepted/,
        CDC_INDEXER,
      ),
      refusal(
        'a server without encryption',
        url(plain, 'ssl-mode=required'),
        /^DATABASE_URL: .*offers no encryption/,
        MIGRATE,
        FANOUT_WORKER,
      ),
    ],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
