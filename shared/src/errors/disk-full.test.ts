import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { isDiskFull } from './disk-full'
import { storeUnavailable } from './sns-error'

test('knows what SQLite says when nothing more fits, through the errors around it', () => {
  const db = new Database(':memory:')
  db.run('pragma max_page_count = 2')
  let caught: unknown = null
  try {
    db.run('create table a (x)')
    for (let at = 0; at < 100; at += 1) db.run('insert into a values (hex(zeroblob(4000)))')
  } catch (error) {
    caught = error
  }
  expect(isDiskFull(caught)).toBe(true)
  expect(isDiskFull(storeUnavailable('sqlite', caught))).toBe(true)
  expect(isDiskFull(storeUnavailable('sqlite', new Error('locked')))).toBe(false)
})

test('knows what the file system says', () => {
  expect(isDiskFull(Object.assign(new Error('write'), { code: 'ENOSPC' }))).toBe(true)
  expect(isDiskFull(Object.assign(new Error('write'), { code: 'EACCES' }))).toBe(false)
  expect(isDiskFull('ENOSPC')).toBe(false)
  const loop = new Error('a loop')
  loop.cause = loop
  expect(isDiskFull(loop)).toBe(false)
})
