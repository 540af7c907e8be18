import type { RedisOptions } from 'ioredis'
import type { PemFile } from '../../config/pem-file'
import { explainCertificateError } from '../../errors/certificate-error'

/** How a connection is encrypted, as the driver wants it: each one is made with these. */
export function redisTlsOptions({
  url,
  ca,
}: {
  readonly url: string
  readonly ca: PemFile | null
}): Pick<RedisOptions, 'tls'> {
  return url.startsWith('rediss:') && ca ? { tls: { ca: ca.pem } } : {}
}

/** What the operator must correct, where Redis is there and a connection was refused; null otherwise. */
export function explainRedisRefusal(url: string, error: unknown): string | null {
  const { host } = new URL(url)
  if (!(error instanceof Error)) return null
  if (/^(WRONGPASS|NOAUTH|NOPERM)|invalid password/.test(error.message)) {
    return `REDIS_URL: Redis at ${host} refuses the user or password (${error.message.split(' ')[0]})`
  }
  const why = explainCertificateError(error)
  return why && `REDIS_CA: the certificate of Redis at ${host} is not accepted (${why})`
}
