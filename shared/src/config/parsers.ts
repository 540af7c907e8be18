import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { RateLimit } from '../domain/rate-limit'

/** Why a value is not one that its setting takes, and what it takes; never quotes a secret. */
export class SettingProblem extends Error {
  override readonly name = 'SettingProblem'
}

/** Turns a setting's text into its value, or throws a `SettingProblem`. */
export type Parser<Value> = (text: string) => Value

export function text(given: string): string {
  return given
}

/** A port to connect to. */
export const port = integer('a port', 1, 65_535)

/** A port to listen on; 0 takes any that is free. */
export const ownPort = integer('a port', 0, 65_535)

export function integer(what: string, min: number, max: number): Parser<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new SettingProblem(`expected ${what} from ${min} to ${max}`)
  }
}

export function boolean(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw new SettingProblem('expected true or false')
  return lower === 'true'
}

/** One of `words`, in upper or lower case. */
export function oneOf<const Word extends string>(words: readonly Word[]): Parser<Word> {
  return (text) => {
    const word = words.find((each) => each === text.toLowerCase())
    if (!word) throw new SettingProblem(`expected one of ${words.join(', ')}`)
    return word
  }
}

/** A host name or IP address; IPv6 with or without its brackets, given back without. */
export function host(text: string): string {
  const bare = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text
  if (isIP(bare) === 6 || (bare === text && isHostName(text))) return bare
  throw new SettingProblem('expected a host name or IP address, without scheme or port')
}

function isHostName(text: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?$/.test(text)
}

/** A host as it stands in a URL. */
export function urlHost(name: string): string {
  return isIP(name) === 6 ? `[${name}]` : name
}

export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** A quota and the seconds that it is for: `10/300`. `name` is how clients see the limit. */
export function rateLimit(name: string): Parser<RateLimit> {
  return (text) => {
    const [, quota, seconds] = /^([1-9]\d{0,8})\/([1-9]\d{0,5})$/.exec(text) ?? []
    if (quota !== undefined && seconds !== undefined) {
      return { name, quota: Number(quota), seconds: Number(seconds) }
    }
    throw new SettingProblem('expected a number and the seconds it is for, such as 10/300')
  }
}

export function onOff(text: string): boolean {
  return oneOf(['on', 'off'])(text) === 'on'
}

const LOOPBACK = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '::1', prefix: 128 },
]

/** Addresses and networks, and `loopback` for both of this machine's. */
export function networks(
  text: string,
): readonly { readonly address: string; readonly prefix: number }[] {
  return list(text).flatMap((each) => {
    if (each === 'loopback') return LOOPBACK
    const [address = '', given, ...rest] = each.split('/')
    const longest = isIP(address) === 6 ? 128 : 32
    const prefix = given === undefined ? longest : /^\d{1,3}$/.test(given) ? Number(given) : -1
    if (isIP(address) === 0 || prefix < 0 || prefix > longest || rest.length > 0) {
      throw new SettingProblem(
        `expected addresses, networks such as 10.0.0.0/8, or loopback; ${JSON.stringify(each)} is none`,
      )
    }
    return [{ address, prefix }]
  })
}

export function brokers(text: string): readonly string[] {
  const expected = 'expected host:port,host:port'
  const all = list(text)
  if (all.length === 0) throw new SettingProblem(expected)
  for (const broker of all) {
    const [, name, digits] = /^(.+):(\d{1,5})$/.exec(broker) ?? []
    const isAddress = name !== undefined && (isHostName(name) || /^\[.+\]$/.test(name))
    if (!isAddress || Number(digits) < 1 || Number(digits) > 65_535) {
      throw new SettingProblem(`${expected}; ${JSON.stringify(broker)} is not that`)
    }
  }
  return all
}

/** Lower case, since indexes must be; no braces, since Redis Cluster reads them. */
export function keyPrefix(text: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,62}$/.test(text)) return text
  throw new SettingProblem(
    'expected at most 63 lower-case letters, digits, dots, dashes and underscores, a letter or digit first',
  )
}

export function secretKey(text: string): string {
  if ([...text].length >= 32) return text
  throw new SettingProblem('expected 32 characters or more; `openssl rand -hex 32` makes some')
}

export function origins(text: string): readonly string[] | '*' {
  const all = list(text)
  if (all.includes('*')) {
    if (all.length === 1) return '*'
    throw new SettingProblem('expected `*` alone or a list of origins, not both')
  }
  return all.map(origin)
}

export function origin(text: string): string {
  const url = URL.parse(text)
  if (url !== null && /^https?:\/\/[^/?#@\s]+\/?$/i.test(text)) return url.origin
  throw new SettingProblem(
    `expected an origin such as https://app.example.org; ${JSON.stringify(text)} is not one`,
  )
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export function methods(text: string): readonly string[] {
  return list(text).map((method) => {
    const upper = method.toUpperCase()
    if (METHODS.includes(upper)) return upper
    throw new SettingProblem(
      `expected methods of ${METHODS.join(', ')}; ${JSON.stringify(method)} is not one`,
    )
  })
}

export function headers(text: string): readonly string[] {
  return list(text).map((header) => {
    if (/^[A-Za-z0-9!#$%&'+.^_`|~-]+$/.test(header)) return header
    throw new SettingProblem(
      `expected header names, comma-separated; ${JSON.stringify(header)} is not one`,
    )
  })
}

/** Of one server, or of some servers of a Redis Cluster. */
export type RedisUrl =
  | { readonly url: string }
  | { readonly cluster: readonly [string, ...string[]] }

/**
 * `redis://` or `rediss://`, whose path, if any, is the database number; `redis+cluster://` or
 * `rediss+cluster://` with some servers of a cluster.
 */
export function redisUrl(text: string): RedisUrl {
  const cluster = /^(rediss?)\+cluster:\/\/((?:[^@]*@)?)([^@/]+)\/?$/.exec(text)
  if (!cluster) return { url: redisServerUrl(text) }
  const [, protocol, credentials, hosts = ''] = cluster
  const [first = '', ...others] = hosts
    .split(',')
    .map((host) => redisServerUrl(`${protocol}://${credentials}${host}`))
  return { cluster: [first, ...others] }
}

/** The same servers, each asked with this password. Throws where the URL has another. */
export function withRedisPassword(redis: RedisUrl, password: string): RedisUrl {
  const add = (text: string) => {
    const url = new URL(text)
    if (url.password !== '') {
      throw new SettingProblem(
        'REDIS_PASSWORD is set, and REDIS_URL has a password too: expected one of them',
      )
    }
    url.password = encodeURIComponent(password)
    return url.href
  }
  if (!('cluster' in redis)) return { url: add(redis.url) }
  const [first, ...others] = redis.cluster
  return { cluster: [add(first), ...others.map(add)] }
}

function redisServerUrl(text: string): string {
  const expected =
    'expected redis://[user:password@]host[:port][/database], redis+cluster://[user:password@]host:port,host:port, or rediss for TLS'
  const url = URL.parse(text)
  if (!url || !/^rediss?:$/.test(url.protocol)) throw new SettingProblem(expected)
  if (url.hostname === '' || !/^\/?\d{0,4}$/.test(url.pathname) || url.search || url.hash) {
    throw new SettingProblem(expected)
  }
  return text
}

export interface ElasticsearchUrl {
  /** Without the credentials, each with its path. */
  readonly urls: readonly [string, ...string[]]
  readonly auth: { readonly username: string; readonly password: string } | null
}

/** One URL, or some of nodes of one cluster, comma-separated, with the same credentials. */
export function elasticsearchUrls(text: string): ElasticsearchUrl {
  const [first, ...others] = list(text).map(elasticsearchUrl)
  if (!first) throw new SettingProblem('expected http://host:port or https://host:port')
  const auth = [first, ...others].find((each) => each.auth !== null)?.auth ?? null
  for (const each of others) {
    if (each.auth !== null && !isDeepStrictEqual(each.auth, auth)) {
      throw new SettingProblem('expected the same user and password in every URL')
    }
  }
  return { urls: [first.url, ...others.map(({ url }) => url)], auth }
}

function elasticsearchUrl(text: string): Pick<ElasticsearchUrl, 'auth'> & { readonly url: string } {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new SettingProblem('expected http://host:port or https://host:port')
  }
  const auth =
    url.username === ''
      ? null
      : { username: percentDecoded(url.username), password: percentDecoded(url.password) }
  url.username = ''
  url.password = ''
  return { url: url.href.replace(/\/+$/, ''), auth }
}

/** A part of a URL as it was meant. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new SettingProblem('a % in it is not followed by two hexadecimal digits; write % as %25')
  }
}
