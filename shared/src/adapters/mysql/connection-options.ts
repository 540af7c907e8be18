import type { ConnectionOptions } from 'mysql2'
import type { MysqlAddress } from '../../config/database-url'

/**
 * Where MySQL is, as whom and how encrypted, as the driver wants it: every connection is made from these. A
 * server that offers less than is asked for is refused, never talked to in the clear.
 */
export function mysqlConnectionOptions(server: Omit<MysqlAddress, 'kind'>): ConnectionOptions {
  const { host, port, user, password, database, tls } = server
  return {
    host,
    port,
    user,
    password,
    database,
    ...(tls && {
      ssl: {
        rejectUnauthorized: tls.mode !== 'required',
        verifyIdentity: tls.mode === 'verify_identity',
        ...(tls.ca && { ca: tls.ca.pem }),
        ...(tls.client && { cert: tls.client.cert.pem, key: tls.client.key.pem }),
      },
    }),
  }
}
