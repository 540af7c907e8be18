import { expect, test } from 'bun:test'
import { isUnavailable } from '../../testing/mysql-behind-proxy'
import { hasMysqlServer, startMysqlServer } from '../../testing/mysql-server'
import { connectMysql, createMysqlHealthCheck } from './database'

if (!hasMysqlServer) console.log('SKIPPED: no MySQL here to start read-only')

// As a reader of Amazon Aurora: `read_only` and `super_read_only` are off there.
test.skipIf(!hasMysqlServer)(
  'a server whose engine alone is read-only is no primary',
  async () => {
    await using server = await startMysqlServer([], ['--innodb-read-only'])
    await using database = await connectMysql({
      ...{ kind: 'mysql', host: '127.0.0.1', port: server.port, user: 'root', password: '' },
      ...{ database: 'mysql', tls: null, poolSize: 1, echo: false },
    })
    expect(await isUnavailable(createMysqlHealthCheck(database.db).check())).toBe(true)
  },
  60_000,
)
