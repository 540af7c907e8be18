import { expect, test } from 'bun:test'
import { loadSettings } from '../config/load-settings'
import { consumerGroupPrefix } from './consumer-group'

test('suites that differ in prefix or database share no group', () => {
  const prefixOf = (KEY_PREFIX: string, DATABASE_URL: string) =>
    consumerGroupPrefix(
      loadSettings({ KEY_PREFIX, DATABASE_URL, SECRET_KEY: 'x'.repeat(32) }, { role: 'suite' }),
    )
  expect(prefixOf('sns', 'mysql://sns:sns@127.0.0.1:3306/one')).toBe('sns.one')
  expect(prefixOf('sns', 'mysql://sns:sns@127.0.0.1:3306/two')).toBe('sns.two')
  expect(prefixOf('test', 'mysql://sns:sns@127.0.0.1:3306/one')).toBe('test.one')
  // Its groups live in its own file.
  expect(prefixOf('sns', 'sqlite:data/sns.db')).toBe('sns')
})
