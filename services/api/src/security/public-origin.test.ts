import { describe, expect, test } from 'bun:test'
import { createPublicOrigin } from './public-origin'

const trustedProxies = [{ address: '10.0.0.0', prefix: 8 }]

describe('the origin that links carry', () => {
  const originOf = createPublicOrigin({ publicUrl: null, trustedProxies })

  test.each([
    ['192.0.2.1', { host: 'sns.example:8000' }, 'http://sns.example:8000'],
    ['192.0.2.1', { host: '[2001:DB8::1]:8000' }, 'http://[2001:db8::1]:8000'],
    ['192.0.2.1', { host: 'SNS.example:80' }, 'http://sns.example'],
    // Nobody trusts who wrote it.
    [
      '192.0.2.1',
      { host: 'sns.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      'http://sns.example',
    ],
    ['10.1.2.3', { host: 'sns.example', 'x-forwarded-proto': 'https' }, 'https://sns.example'],
    ['::ffff:10.1.2.3', { host: 'a', 'x-forwarded-proto': 'HTTPS' }, 'https://a'],
    [
      '10.1.2.3',
      { host: '10.0.0.1:8000', 'x-forwarded-host': 'evil.example, sns.example' },
      'http://sns.example',
    ],
    ['10.1.2.3', { host: 'sns.example', 'x-forwarded-proto': 'javascript' }, 'http://sns.example'],
    // What a link cannot carry.
    ['192.0.2.1', {}, null],
    ['192.0.2.1', { host: 'a>; rel="next", <b' }, null],
    ['192.0.2.1', { host: 'user@evil.example' }, null],
    ['192.0.2.1', { host: 'sns.example/evil' }, null],
    ['192.0.2.1', { host: 'sns.example:99999' }, null],
    ['192.0.2.1', { host: '[::' }, null],
    ['10.1.2.3', { host: 'sns.example', 'x-forwarded-host': 'a b' }, null],
  ])('of a request by %s with %p is %s', (peer, given, origin) => {
    const headers = new Map(Object.entries(given)) as unknown as Headers
    expect(originOf({ headers }, peer)).toBe(origin)
  })

  test('is PUBLIC_URL where that is set, whatever the request says', () => {
    const fixed = createPublicOrigin({ publicUrl: 'https://sns.example', trustedProxies })
    const headers = new Headers({ host: 'evil.example' })
    expect(fixed({ headers }, '10.1.2.3')).toBe('https://sns.example')
  })
})
