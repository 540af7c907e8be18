import { BlockList, isIP } from 'node:net'

/** Addresses and networks whose `X-Forwarded-*` headers are trusted. */
export type TrustedProxies = readonly { readonly address: string; readonly prefix: number }[]

export type ClientAddress = ReturnType<typeof createClientAddress>

/** Whether an address is one of the proxies. */
export function isTrustedProxy(trusted: TrustedProxies): (address: string) => boolean {
  const proxies = new BlockList()
  for (const { address, prefix } of trusted) {
    proxies.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return (given) => {
    const address = plain(given)
    return proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}

/**
 * Finds the address of the client. Anyone can send `X-Forwarded-For`; only what a trusted proxy
 * appended counts. So it is read from the right, and the first address that is not a trusted proxy
 * is the client.
 */
export function createClientAddress(trusted: TrustedProxies) {
  const isTrusted = isTrustedProxy(trusted)

  /** `peer`: the other end of the connection. */
  return (peer: string, forwardedFor: string | null): string => {
    let client = plain(peer)
    if (forwardedFor === null || trusted.length === 0) return client
    const hops = forwardedFor.split(',')
    while (isTrusted(client)) {
      const before = plain(hops.pop()?.trim() ?? '')
      if (isIP(before) === 0) break
      client = before
    }
    return client
  }
}

/** Maps an IPv4 address from an IPv6 socket to IPv4; removes ports and brackets. */
function plain(address: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(address) ?? []
  const bare = bracketed ?? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return bare.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').toLowerCase()
}

/** The key that limits count an address by: a whole /64, since one IPv6 client owns that many. */
export function countedAs(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':')
    while (groups.length + rest.length < 8) groups.push('0')
    groups.push(...rest)
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
