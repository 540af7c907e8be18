import {
  type ColumnDataType,
  type CreateTableBuilder,
  type Expression,
  type Kysely,
  type RawBuilder,
  sql,
} from 'kysely'

export type DialectKind = 'mysql' | 'sqlite'

export interface TableDefinition {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnDataType | Expression<unknown>>>
  readonly primaryKey: readonly string[]
  readonly nullable?: readonly string[]
  /** Unique indexes are named `table_column`: errors of both databases name them so. */
  readonly unique?: Readonly<Record<string, readonly string[]>>
  readonly indexes?: Readonly<Record<string, readonly string[]>>
}

/**
 * Makes a table with its indexes, unless it is there: MySQL commits each DDL statement by itself, so
 * a migration that was cut off runs again from its start.
 */
export function createTable(db: Kysely<unknown>, kind: DialectKind) {
  return async (table: TableDefinition): Promise<void> => {
    let builder: CreateTableBuilder<string, string> = db.schema
      .createTable(table.name)
      .ifNotExists()
    for (const [name, type] of Object.entries(table.columns)) {
      const nullable = table.nullable?.includes(name) ?? false
      // An `integer primary key` of its own is SQLite's row id: no second index beside the table.
      const isRowId = kind === 'sqlite' && type === 'integer' && isOnly(table.primaryKey, name)
      builder = builder.addColumn(name, type, (column) => {
        const present = nullable ? column : column.notNull()
        return isRowId ? present.primaryKey() : present
      })
    }
    const [only = ''] = table.primaryKey
    const hasRowId = isOnly(table.primaryKey, only) && table.columns[only] === 'integer'
    if (!hasRowId) {
      builder = builder.addPrimaryKeyConstraint(`${table.name}_pk`, [...table.primaryKey])
    }
    if (kind === 'mysql') {
      for (const [name, columns] of Object.entries(table.unique ?? {})) {
        builder = builder.addUniqueConstraint(name, [...columns])
      }
      for (const [name, columns] of Object.entries(table.indexes ?? {})) {
        builder = builder.addIndex(name, [...columns])
      }
      await builder.modifyEnd(sql`engine = InnoDB default charset = utf8mb4`).execute()
      return
    }
    await builder.modifyEnd(hasRowId ? sql`strict` : sql`strict, without rowid`).execute()
    for (const [name, columns] of Object.entries(table.unique ?? {})) {
      await db.schema
        .createIndex(name)
        .ifNotExists()
        .unique()
        .on(table.name)
        .columns([...columns])
        .execute()
    }
    for (const [name, columns] of Object.entries(table.indexes ?? {})) {
      await db.schema
        .createIndex(name)
        .ifNotExists()
        .on(table.name)
        .columns([...columns])
        .execute()
    }
  }
}

/** Adds a column unless it is there. */
export function addColumn(db: Kysely<unknown>, kind: DialectKind) {
  return async (
    table: string,
    name: string,
    type: ColumnDataType,
    constraint: RawBuilder<unknown> = sql``,
  ): Promise<void> => {
    const { rows } = await (kind === 'mysql'
      ? sql`select 1 from information_schema.columns
          where table_schema = database() and table_name = ${table} and column_name = ${name}`
      : sql`select 1 from pragma_table_info(${table}) where name = ${name}`
    ).execute(db)
    if (rows.length > 0) return
    await db.schema
      .alterTable(table)
      .addColumn(name, type, (column) => column.modifyEnd(constraint))
      .execute()
  }
}

/** Adds an index unless it is there. */
export function addIndex(db: Kysely<unknown>, kind: DialectKind) {
  return async (table: string, name: string, columns: readonly string[]): Promise<void> => {
    if (await hasIndex(db, kind, table, name)) return
    await db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .execute()
  }
}

/** Drops an index if it is there. */
export function dropIndex(db: Kysely<unknown>, kind: DialectKind) {
  return async (table: string, name: string): Promise<void> => {
    if (!(await hasIndex(db, kind, table, name))) return
    const drop = db.schema.dropIndex(name)
    await (kind === 'mysql' ? drop.on(table) : drop).execute()
  }
}

async function hasIndex(db: Kysely<unknown>, kind: DialectKind, table: string, name: string) {
  const { rows } = await (kind === 'mysql'
    ? sql`select 1 from information_schema.statistics
        where table_schema = database() and table_name = ${table} and index_name = ${name}`
    : sql`select 1 from sqlite_master where type = 'index' and tbl_name = ${table} and name = ${name}`
  ).execute(db)
  return rows.length > 0
}

function isOnly(names: readonly string[], name: string): boolean {
  return names.length === 1 && names[0] === name
}
