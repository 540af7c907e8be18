import { BlockList, isIP } from 'node:net'

/** Addresses and networks whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly { readonly address: string; readonly prefix: number }[]

export type ClientAddress = ReturnType<typeof createClientAddress>

/**
 * Who a request comes from. `X-Forwarded-For` is what anyone may write: only what a trusted proxy added
 * to it counts. So it is read from the right, and the first address that is no trusted proxy is the client.
 */
export function createClientAddress(trusted: TrustedProxies) {
  const proxies = new BlockList()
  for (const { address, prefix } of trusted) {
    proxies.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  const isTrusted = (address: string) =>
    proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

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

/** An IPv4 address that came over an IPv6 socket is the same address; ports and brackets go. */
function plain(address: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(address) ?? []
  const bare = bracketed ?? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return bare.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').toLowerCase()
}

/** What an address is counted by: one IPv6 client has a whole /64 to choose from. */
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
