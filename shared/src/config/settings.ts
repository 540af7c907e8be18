/** What a program runs by: read from the environment once, passed on typed, frozen. */
export interface Settings {
  readonly web: { readonly host: string; readonly port: number }
  readonly database: DatabaseSettings
  readonly redis: { readonly url: string }
  readonly keyPrefix: string
  readonly kafka: {
    readonly brokers: readonly string[]
    readonly partitions: number
    readonly replication: number
  }
  readonly elasticsearch: {
    readonly url: string
    readonly auth: { readonly username: string; readonly password: string } | null
    readonly verifySsl: boolean
    readonly replicas: number
  }
  readonly cors: {
    /** Empty: no cross-origin calls. */
    readonly origins: readonly string[] | '*'
    readonly credentials: boolean
    readonly methods: readonly string[]
    readonly headers: readonly string[]
  }
  /** Null only in embedded mode, where the runtime makes one and keeps it. */
  readonly secretKey: string | null
  readonly logLevel: LogLevel
  /** A worker's own port; null takes the worker's default. */
  readonly metricsPort: number | null
}

export type DatabaseSettings = SqliteSettings | MysqlSettings

export interface SqliteSettings {
  readonly kind: 'sqlite'
  readonly path: string
  readonly echo: boolean
}

export interface MysqlSettings {
  readonly kind: 'mysql'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly poolSize: number
  readonly echo: boolean
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
