import type { Certificates } from '@sns/shared/testing/certificates'
import { startRedisServer } from '@sns/shared/testing/redis-server'
import {
  API,
  type EncryptedServer,
  FANOUT_WORKER,
  WRONG_AUTHORITY,
  WRONG_PASSWORD,
} from './encrypted-server'

/** Servers that know one user, not the default one; each has another certificate. */
export async function startEncryptedRedis(
  certificates: Certificates,
): Promise<EncryptedServer & AsyncDisposable & { size(): Promise<number> }> {
  await using opened = new AsyncDisposableStack()
  const start = async (cert: string) =>
    opened.use(
      await startRedisServer({
        tls: { ...certificates, cert },
        account: { user: 'sns', password: 'right' },
      }),
    )
  const [server, expired, elsewhere] = await Promise.all(
    [certificates.cert, certificates.expiredCert, certificates.elsewhereCert].map(start),
  )
  if (!server || !expired || !elsewhere) throw new TypeError('three were started')
  const url = (user: string, password: string, { port } = server) => ({
    REDIS_URL: `rediss://${user}@127.0.0.1:${port}`,
    REDIS_PASSWORD: password,
  })
  const programs = [API, FANOUT_WORKER]
  const notAccepted = /^REDIS_CA: the certificate of Redis at 127\.0\.0\.1:\d+ is not accepted/
  const refused = /^REDIS_URL: Redis at 127\.0\.0\.1:\d+ refuses the user or password/
  const resources = opened.move()
  return {
    name: 'Redis',
    right: { ...url('sns', 'right'), REDIS_CA: certificates.ca },
    alsoRight: {},
    refusals: [
      {
        with: WRONG_AUTHORITY,
        settings: { REDIS_CA: certificates.otherCa },
        programs,
        says: notAccepted,
      },
      { with: WRONG_PASSWORD, settings: url('sns', 'wrong'), programs, says: refused },
      { with: 'no authority', settings: { REDIS_CA: '' }, programs, says: notAccepted },
      {
        with: 'a certificate that has expired',
        settings: url('sns', 'right', expired),
        programs: [API],
        says: notAccepted,
      },
      {
        with: 'a certificate of another host',
        settings: url('sns', 'right', elsewhere),
        programs: [API],
        says: notAccepted,
      },
      { with: 'the wrong user', settings: url('default', 'right'), programs, says: refused },
    ],
    size: async () => Number(await server.command('DBSIZE')),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
