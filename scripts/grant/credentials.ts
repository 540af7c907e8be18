import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reader } from '@sns/shared/config/settings'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

export type Credential = 'database-password' | 'es-api-key'

/** What a service shows to the servers: a file each, in a folder of the service, for its owner alone. */
export interface Credentials {
  read(service: Reader, credential: Credential): string | null
  /** Whole or not at all. */
  write(service: Reader, credential: Credential, secret: string): void
}

/** Errors: `OperatorError` where the folder cannot be read or written. */
export function createCredentials(folder: string): Credentials {
  const pathOf = (service: Reader, credential: Credential) => join(folder, service, credential)

  function attempt<Value>(path: string, work: () => Value): Value {
    try {
      return work()
    } catch (error) {
      throw new OperatorError(`${path}: ${asError(error).message}`)
    }
  }

  return {
    read(service, credential) {
      const path = pathOf(service, credential)
      return attempt(path, () =>
        existsSync(path) ? readFileSync(path, 'utf8').trimEnd() || null : null,
      )
    },
    write(service, credential, secret) {
      const path = pathOf(service, credential)
      attempt(path, () => {
        mkdirSync(join(folder, service), { recursive: true, mode: 0o700 })
        writeFileSync(`${path}.new`, `${secret}\n`, { mode: 0o600 })
        // One that was left by a run that was cut off keeps its mode.
        chmodSync(`${path}.new`, 0o600)
        renameSync(`${path}.new`, path)
      })
    },
  }
}
