import { randomBytes } from 'node:crypto'
import {
  createElasticsearchClient,
  ElasticsearchRefusal,
} from '@sns/shared/adapters/elasticsearch/client'
import { detailsOf, ER } from '@sns/shared/adapters/mysql/errors'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import type { Reader } from '@sns/shared/config/settings'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { createLogger } from '@sns/shared/observability/logger'
import { createMetrics } from '@sns/shared/observability/metrics'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { type Credentials, createCredentials } from './grant/credentials'
import { createElasticsearchKeys, type ElasticsearchKeys } from './grant/elasticsearch-keys'
import { elasticsearchRights } from './grant/elasticsearch-rights'
import { createMysqlUsers, type MysqlUsers } from './grant/mysql-users'
import { misused, readCommandLine, withHelp } from './process/command-line'

const LINE = COMMAND_LINES.grant
const SERVICES: readonly Reader[] = ['migrate', 'api', 'fanout-worker', 'cdc-indexer']
const PASSWORD_BYTES = 24
const DENIALS: ReadonlySet<number> = new Set([
  ER.DBACCESS_DENIED_ERROR,
  ER.ACCESS_DENIED_ERROR,
  ER.TABLEACCESS_DENIED_ERROR,
  ER.SPECIFIC_ACCESS_DENIED_ERROR,
])

/** `keep`: those that are there stay; `rotate`: new ones beside them; `retire`: those before the newest end. */
type Mode = 'keep' | 'rotate' | 'retire'

/**
 * Gives each service named a user of MySQL and, where it needs one, a key of Elasticsearch, with what it needs and no
 * more, and writes them where the service reads them. DATABASE_URL and ES_URL are of one who may make users and keys.
 * May be repeated at any time.
 */
export const grant: Command = async ({ args }) => {
  const { folder, services, mode } = readArguments(args)
  const settings = loadSettings(environment, { role: LINE.role })
  if (settings.database.kind === 'sqlite') {
    throw new OperatorError('embedded, there are no users: grant is for the servers', 2)
  }
  const credentials = createCredentials(folder)
  const logger = createLogger('grant', settings.logLevel)
  await using users = createMysqlUsers(settings.database)
  await using client = createElasticsearchClient(settings.elasticsearch, {
    logger,
    metrics: createMetrics(),
  })
  const keys = createElasticsearchKeys(client, settings.keyPrefix)
  try {
    const isSecured = await keys.isSecured()
    if (!isSecured) console.log('Elasticsearch asks nobody who they are: no keys are made')
    for (const service of services) {
      await grantDatabase(service, { users, credentials, mode })
      if (isSecured) await grantElasticsearch(service, { keys, credentials, mode })
      console.log(`${service}: ${users.nameOf(service)}`)
    }
  } catch (error) {
    if (isDenied(error)) {
      throw new OperatorError(
        `DATABASE_URL: its user may not make users and give them rights (${asError(error).message})`,
        1,
        { cause: error },
      )
    }
    if (error instanceof ElasticsearchRefusal) {
      throw new OperatorError(`grant: Elasticsearch refuses to make keys (${error.message})`, 1, {
        cause: error,
      })
    }
    if (isSnsError(error)) throw new OperatorError(`grant: ${error.message}`, 1, { cause: error })
    throw error
  }
}

/** The server lets the user in, and refuses a statement. */
function isDenied(error: unknown): boolean {
  const errno = detailsOf(error)?.errno
  return errno !== undefined && errno !== null && DENIALS.has(errno)
}

interface DatabaseDeps {
  readonly users: MysqlUsers
  readonly credentials: Credentials
  readonly mode: Mode
}

/** The file is written before the user has the password: cut off in between, the next run gives it that one. */
async function grantDatabase(service: Reader, { users, credentials, mode }: DatabaseDeps) {
  const known = credentials.read(service, 'database-password')
  const password = known ?? makePassword()
  if (known === null) credentials.write(service, 'database-password', password)
  await users.ensure(service, password)
  if (!(await users.accepts(service, password))) {
    await users.setPassword(service, password, 'forget')
  }
  if (mode === 'rotate') {
    const next = makePassword()
    // Cut off behind this, the file has the one that is kept.
    await users.setPassword(service, next, 'keep')
    credentials.write(service, 'database-password', next)
  }
  if (mode === 'retire') await users.retire(service)
}

interface ElasticsearchDeps {
  readonly keys: ElasticsearchKeys
  readonly credentials: Credentials
  readonly mode: Mode
}

/** A key that was made and not written, as this was cut off in between, ends with `--retire`. */
async function grantElasticsearch(service: Reader, { keys, credentials, mode }: ElasticsearchDeps) {
  const rights = elasticsearchRights(service)
  if (rights === null) return
  const known = credentials.read(service, 'es-api-key')
  const isKept = known !== null && mode !== 'rotate' && (await keys.settle(known, rights))
  const key = isKept ? known : await keys.make(service, rights)
  if (!isKept) credentials.write(service, 'es-api-key', key)
  if (mode === 'retire') await keys.retire(service, key)
}

function makePassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex')
}

function readArguments(args: readonly string[]) {
  const { values, positionals } = readCommandLine(LINE, args)
  const [folder, ...named] = positionals
  if (folder === undefined) throw misused(LINE, 'the folder for passwords is missing')
  const unknown = named.find((name) => !SERVICES.some((service) => service === name))
  if (unknown !== undefined) {
    throw misused(LINE, `"${unknown}" is none of ${SERVICES.join(', ')}`)
  }
  const { rotate = false, retire = false } = values
  if (rotate && retire) throw misused(LINE, '--rotate and --retire exclude each other')
  const services = SERVICES.filter((service) => named.includes(service))
  return {
    folder,
    services: services.length > 0 ? services : SERVICES,
    mode: rotate ? 'rotate' : retire ? 'retire' : 'keep',
  } as const
}

if (import.meta.main)
  await runProgram('grant', withHelp(LINE, grant), { args: process.argv.slice(2) })
