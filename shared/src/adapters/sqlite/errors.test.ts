import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { isSnsError } from '../../errors/sns-error'
import { isBusy, sqliteDuplicateIndex, translateSqliteError } from './errors'

function errorOf(...statements: string[]): unknown {
  using database = new Database(':memory:')
  database.run('create table users (id integer primary key, username text, a int, b int) strict')
  database.run('create unique index users_username on users (username)')
  database.run('create unique index users_a_b on users (a, b)')
  database.run('create table pairs (a int, b int, primary key (a, b)) strict, without rowid')
  try {
    for (const statement of statements) database.run(statement)
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}

describe('SQLite errors', () => {
  test.each([
    ['PRIMARY', 'insert into users (id) values (1)'],
    ['PRIMARY', 'insert into pairs values (1, 2)'],
    ['users_username', "insert into users (username) values ('x')"],
    ['users_a_b', 'insert into users (a, b) values (1, 2)'],
  ])('names the index %s that refuses a second: %s', (index, statement) => {
    expect(sqliteDuplicateIndex(errorOf(statement, statement))).toBe(index)
  })

  test('takes nothing else for a duplicate', () => {
    expect(sqliteDuplicateIndex(errorOf('insert into pairs values (null, 1)'))).toBeNull()
    expect(sqliteDuplicateIndex(errorOf('selec'))).toBeNull()
    expect(sqliteDuplicateIndex(new Error('UNIQUE constraint failed: users.id'))).toBeNull()
  })

  test('knows a lock from a mistake', () => {
    const mistake = errorOf('selec')
    expect(isBusy(mistake)).toBeFalse()
    expect(translateSqliteError(mistake)).toBe(mistake)
  })

  test('calls a file that cannot be written store_unavailable', () => {
    using database = new Database(':memory:')
    database.run('pragma query_only = on')
    try {
      database.run('create table x (y)')
      expect.unreachable()
    } catch (error) {
      expect(isSnsError(translateSqliteError(error), 'store_unavailable')).toBeTrue()
    }
  })
})
