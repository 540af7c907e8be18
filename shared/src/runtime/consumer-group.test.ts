import { expect, test } from 'bun:test'
import { loadSettings } from '../config/load-settings'
import { consumerGroups } from './consumer'

test('suites that differ in prefix or database share no group', () => {
  const groupsOf = (KEY_PREFIX: string, DATABASE_URL: string) =>
    consumerGroups(
      loadSettings({ KEY_PREFIX, DATABASE_URL, SECRET_KEY: 'x'.repeat(32) }, { role: 'suite' }),
    )
  expect(groupsOf('sns', 'mysql://sns:sns@127.0.0.1:3306/one')).toEqual({
    fanout: 'sns.one.fanout',
    index: 'sns.one.index',
    announce: 'sns.one.announce',
    derive: 'sns.one.derive',
  })
  expect(groupsOf('sns', 'mysql://sns:sns@127.0.0.1:3306/two').index).toBe('sns.two.index')
  expect(groupsOf('test', 'mysql://sns:sns@127.0.0.1:3306/one').index).toBe('test.one.index')
  // Its groups live in its own file.
  expect(groupsOf('sns', 'sqlite:data/sns.db').index).toBe('sns.index')
})
