import { Database, type SQLQueryBindings } from 'bun:sqlite'

/** What the thread of `openReaderThread` runs: one message a statement, answered in their order. */
declare const self: Worker

let database: Database | null = null

self.onmessage = ({ data }: MessageEvent<ReaderRequest>) => {
  if (data.kind === 'open') {
    database = new Database(data.path, { readonly: true, strict: true })
    database.run(`pragma cache_size = -${data.cacheKib}`)
    database.run('pragma temp_store = memory')
    return
  }
  const { id, sql, parameters } = data
  try {
    const rows = database?.query(sql).all(...parameters) ?? []
    self.postMessage({ id, rows } satisfies ReaderAnswer)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    self.postMessage({ id, code, message: String(error) } satisfies ReaderAnswer)
  }
}

export type ReaderRequest =
  | { readonly kind: 'open'; readonly path: string; readonly cacheKib: number }
  | {
      readonly kind: 'query'
      readonly id: number
      readonly sql: string
      readonly parameters: SQLQueryBindings[]
    }

export type ReaderAnswer =
  | { readonly id: number; readonly rows: unknown[] }
  | { readonly id: number; readonly code: string; readonly message: string }
