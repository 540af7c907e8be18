import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP } from 'node:net'

export interface OperatorAccessOptions {
  /** Where it is set, whoever gives it is an operator, and nobody else is. */
  readonly token: string | null
}

/** Why a request to the operators' port is refused. */
export interface OperatorRefusal {
  readonly status: 401 | 403
  readonly message: string
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** What browsers send of their own accord with every request that a page makes. */
const OF_BROWSERS = /^(?:origin|referer|cookie|sec-fetch-.*)$/
/** Behind a proxy, the peer says nothing of who asks. */
const OF_PROXIES = /^(?:forwarded|x-forwarded-.*|x-real-ip|via)$/

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Decides who may ask a service for work at its operators' port. What is read there (`GET`) is open to whoever reaches
 * the port; anything else is for an operator on this machine, or with the token where one is set. Never for a browser:
 * any page that an operator visits could have it send a request.
 */
export function createOperatorAccess({ token }: OperatorAccessOptions) {
  /** `peer`: the other end of the connection, null where the request came from no socket. */
  return ({ method, headers }: Request, peer: string | null): OperatorRefusal | null => {
    if (SAFE_METHODS.has(method)) return null
    const names = [...headers.keys()]
    if (names.some((name) => OF_BROWSERS.test(name))) {
      return { status: 403, message: 'Not for browsers: use the command' }
    }
    if (token !== null) {
      const given = /^bearer +(.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
      if (given !== undefined && isSame(given, token)) return null
      return { status: 401, message: 'Send Authorization: Bearer and OPERATOR_TOKEN' }
    }
    if (isLoopback(peer) && !names.some((name) => OF_PROXIES.test(name))) return null
    return { status: 403, message: 'Only from this machine, or set OPERATOR_TOKEN' }
  }
}

function isLoopback(peer: string | null): boolean {
  if (peer === null) return true
  const address = peer.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  const version = isIP(address)
  return version !== 0 && loopback.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** Compares digests, so that neither length nor content shows in the time taken. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
