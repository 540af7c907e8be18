import { describe, expect, test } from 'bun:test'
import { countedAs, createClientAddress } from './client-address'

const trusted = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '10.0.0.0', prefix: 8 },
  { address: '2001:db8::', prefix: 32 },
]

describe('the address of a client', () => {
  const clientOf = createClientAddress(trusted)

  test.each([
    ['203.0.113.9', null, '203.0.113.9'],
    // Nobody trusts who wrote it.
    ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    // The client made up what stands before its own address.
    ['127.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '6.6.6.6, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['127.0.0.1', '6.6.6.6,198.51.100.1:4711', '198.51.100.1'],
    ['2001:db8::1', '[2001:DB9::7]:443', '2001:db9::7'],
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1, nonsense', '127.0.0.1'],
    ['127.0.0.1', '10.0.0.1', '10.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
  ])('%s with X-Forwarded-For %p is %s', (peer, forwarded, client) => {
    expect(clientOf(peer, forwarded)).toBe(client)
  })

  test('without trusted proxies is that of the connection', () => {
    expect(createClientAddress([])('127.0.0.1', '198.51.100.1')).toBe('127.0.0.1')
  })
})

test.each([
  ['198.51.100.1', '198.51.100.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted as %s', (address, key) => {
  expect(countedAs(address)).toBe(key)
})
