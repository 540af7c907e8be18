import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { type Certificates, makeCertificates } from '../testing/certificates'
import { databaseUrl } from './database-url'
import { SettingProblem } from './parsers'

describe('sqlite', () => {
  test.each([
    ['sqlite:data/sns.db', 'data/sns.db'],
    ['sqlite:./sns.db', './sns.db'],
    ['sqlite:/var/lib/sns.db', '/var/lib/sns.db'],
    ['sqlite:my 100% file.db', 'my 100% file.db'],
    ['sqlite:///var/lib/sns.db', '/var/lib/sns.db'],
    ['sqlite:////var/lib/sns.db', '/var/lib/sns.db'],
    ['sqlite:///./sns.db', './sns.db'],
    ['sqlite:///../sns.db', '../sns.db'],
    ['sqlite+aiosqlite:///./sns.db', './sns.db'],
    ['SQLite:sns.db', 'sns.db'],
  ])('%s is %s', (text, path) => {
    expect(databaseUrl(text)).toEqual({ kind: 'sqlite', path })
  })

  test.each([
    ['sqlite::memory:', 'keeps nothing'],
    ['sqlite:///:memory:', 'keeps nothing'],
    ['sqlite:', 'keeps nothing'],
    ['sqlite://', 'keeps nothing'],
    ['sqlite:///', 'keeps nothing'],
    ['sqlite://sns.db', 'names a host'],
    ['sqlite:data/', 'a folder'],
    ['sqlite:///sns.db?mode=ro', 'no parameters'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => databaseUrl(text)).toThrow(why)
  })
})

describe('mysql', () => {
  const plain = {
    kind: 'mysql',
    host: 'db',
    port: 3306,
    user: 'u',
    password: 'p',
    database: 'sns',
    tls: null,
  }

  test.each([
    ['mysql://u:p@db/sns', {}],
    ['mysql://u:p@db:3307/sns', { port: 3307 }],
    ['mysql+aiomysql://u:p@db/sns?charset=utf8mb4', {}],
    ['MySQL+pymysql://u:p@db/sns', {}],
    ['mysql://u:p%40%2F%3A%25@db/sns', { password: 'p@/:%' }],
    ['mysql://u%40x@db/sns', { user: 'u@x', password: '' }],
    ['mysql://u:p@[::1]:3306/sns', { host: '::1' }],
    ['mysql://u:p@127.0.0.1/sns_2-b', { host: '127.0.0.1', database: 'sns_2-b' }],
  ])('%s', (text, parts) => {
    expect(databaseUrl(text)).toEqual({ ...plain, ...parts } as ReturnType<typeof databaseUrl>)
  })

  test.each([
    ['mysql:u:p@db/sns', 'expected mysql://'],
    ['mysql:///sns', 'expected mysql://'],
    ['mysql://u:a/b@db/sns', 'in the password as %2F'],
    ['mysql://u:p#x@db/sns', 'in the password as %2F'],
    ['mysql://db/sns', 'user is missing'],
    ['mysql://u:p@db', "database's name is missing"],
    ['mysql://u:p@db/a.b', "database's name is missing"],
    ['mysql://u:p@db/a/b', "database's name is missing"],
    ['mysql://u:p@db:0/sns', 'port 0'],
    ['mysql://u:p@db:99999/sns', 'expected mysql://'],
    ['mysql://u:100%@db/sns', 'write % as %25'],
    ['mysql://u:p@db/sns?ssl=1', 'parameter "ssl"'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => databaseUrl(text)).toThrow(why)
  })
})

describe('encryption of mysql', () => {
  let certificates: Certificates
  beforeAll(async () => {
    certificates = await makeCertificates()
  }, 30_000)
  afterAll(() => certificates[Symbol.asyncDispose]())

  const tlsOf = (parameters: string) => {
    const address = databaseUrl(
      `mysql://u:p@db/sns?${parameters.replace(/(?<==)(CA|CERT|KEY)\b/g, (name) => files(name))}`,
    )
    return address.kind === 'mysql' ? address.tls : undefined
  }
  const files = (name: string) =>
    ({ CA: certificates.ca, CERT: certificates.cert, KEY: certificates.key })[name] ?? name

  test.each([
    ['ssl-mode=disabled', null],
    ['ssl-mode=required', { mode: 'required', ca: null, client: null }],
    ['ssl-mode=VERIFY_CA', { mode: 'verify_ca', ca: null, client: null }],
    ['ssl-mode=verify-identity', { mode: 'verify_identity', ca: null }],
    ['ssl-ca=CA', { mode: 'verify_ca', ca: {} }],
    ['ssl-mode=required&ssl-ca=CA', { mode: 'verify_ca', ca: {} }],
    ['ssl-mode=verify_identity&ssl-ca=CA', { mode: 'verify_identity', ca: {} }],
    ['ssl-cert=CERT&ssl-key=KEY', { mode: 'required', ca: null, client: { cert: {}, key: {} } }],
  ])('%s', (parameters, expected) => {
    const tls = tlsOf(parameters)
    if (expected === null) expect(tls).toBeNull()
    else expect(tls).toMatchObject(expected)
    if (parameters.includes('ssl-ca')) {
      expect(tls?.ca).toEqual({
        path: certificates.ca,
        pem: readFileSync(certificates.ca, 'utf8'),
      })
    }
  })

  test.each([
    ['ssl-mode=on', 'ssl-mode: expected one of disabled'],
    ['ssl-mode=preferred', 'would fall back'],
    ['ssl-mode=required&ssl-mode=disabled', 'ssl-mode: expected once'],
    ['ssl-ca=/nowhere/ca.pem', 'ssl-ca: expected a file that can be read; /nowhere/ca.pem'],
    ['ssl-ca=KEY', 'ssl-ca: expected a file with a certificate'],
    ['ssl-cert=CERT', 'expected both or neither'],
    ['ssl-key=KEY', 'expected both or neither'],
    ['ssl-cert=CERT&ssl-key=CA', 'ssl-key: expected a file with a private key'],
    ['ssl-mode=disabled&ssl-ca=CA', 'encrypts nothing'],
  ])('%s is refused: %s', (parameters, why) => {
    expect(() => tlsOf(parameters)).toThrow(why)
  })
})

test.each(['postgres://u:p@db/sns', 'postgresql+asyncpg://u:p@db/sns', 'mariadb://u:p@db/sns'])(
  '%s: says which drivers there are',
  (text) => {
    expect(() => databaseUrl(text)).toThrow(SettingProblem)
    expect(() => databaseUrl(text)).toThrow(
      /there is no driver "\w+": expected sqlite:PATH or mysql:\/\/user:password@host:port\/database/,
    )
  },
)

test.each(['', 'sns.db', '/var/lib/sns.db', 'C-D:x'])('%j is not a database', (text) => {
  expect(() => databaseUrl(text)).toThrow('expected sqlite:PATH or mysql://')
})
