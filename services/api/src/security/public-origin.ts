import { isTrustedProxy, type TrustedProxies } from './client-address'

export type PublicOrigin = ReturnType<typeof createPublicOrigin>

export interface PublicOriginSettings {
  /** What every link carries; null where requests tell it. */
  readonly publicUrl: string | null
  readonly trustedProxies: TrustedProxies
}

/** A host as it may stand in a link: a name, an IPv4 address or an IPv6 address in brackets, and a port. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/**
 * Finds the origin under which clients reach the api: `PUBLIC_URL`, else the one that the request was sent to. Anyone can
 * send `X-Forwarded-Host` and `X-Forwarded-Proto`; only what a trusted proxy wrote counts, and of a list that is the
 * last. Null where the request names no host that could stand in a link.
 */
export function createPublicOrigin({ publicUrl, trustedProxies }: PublicOriginSettings) {
  const isTrusted = isTrustedProxy(trustedProxies)

  /** `peer`: the other end of the connection. */
  return ({ headers }: Pick<Request, 'headers'>, peer: string): string | null => {
    if (publicUrl !== null) return publicUrl
    const forwarded = (name: string) =>
      isTrusted(peer) ? headers.get(name)?.split(',').at(-1)?.trim() : undefined
    const scheme = forwarded('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http'
    const host = forwarded('x-forwarded-host') || headers.get('host')
    if (!host || !HOST.test(host)) return null
    return URL.parse(`${scheme}://${host}`)?.origin ?? null
  }
}
