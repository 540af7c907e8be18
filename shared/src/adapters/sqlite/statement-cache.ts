import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite'

export type SqliteStatement = Statement<unknown, SQLQueryBindings[]>

/** Prepared statements of one connection by their text; the one used longest ago makes room. */
export class StatementCache {
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(
    private readonly database: Database,
    private readonly capacity: number,
  ) {}

  get(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known) {
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.database.prepare<unknown, SQLQueryBindings[]>(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > this.capacity) this.#evictOldest()
    return statement
  }

  clear(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
  }

  #evictOldest(): void {
    for (const [sql, statement] of this.#statements) {
      statement.finalize()
      this.#statements.delete(sql)
      return
    }
  }
}
