type Environment = Readonly<Record<string, string>>

/** A script and its arguments. */
export type ProgramLine = readonly [string, ...string[]]

/** Settings under which a server does not accept programs: what is wrong with them, and how each program ends. */
export interface Refusal {
  readonly with: string
  /** Beside the settings that are right. */
  readonly settings: Environment
  readonly programs: readonly ProgramLine[]
  readonly says: RegExp
}

/** What every server must refuse. */
export const WRONG_AUTHORITY = 'the wrong authority'
export const WRONG_PASSWORD = 'the wrong password'

/** A server of a test's own that demands encryption and somebody who signs in. */
export interface EncryptedServer {
  readonly name: string
  /** The settings with which programs work. */
  readonly right: Environment
  /** Other settings with which `migrate` ends well, by what is different. */
  readonly alsoRight: Readonly<Record<string, Environment>>
  readonly refusals: readonly Refusal[]
}

export const MIGRATE: ProgramLine = ['migrate']
export const API: ProgramLine = ['start', 'api']
export const FANOUT_WORKER: ProgramLine = ['start', 'fanout-worker']
export const CDC_INDEXER: ProgramLine = ['start', 'cdc-indexer']
