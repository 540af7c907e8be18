import { describe, expect, test } from 'bun:test'
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
  const plain = { kind: 'mysql', host: 'db', port: 3306, user: 'u', password: 'p', database: 'sns' }

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
