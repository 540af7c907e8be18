import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { CommentId, FollowId, PostId, UserId } from '../domain/id'

/** A captured table, with the check of its rows. */
interface Table<Row> {
  /** The columns of the primary key, in order. */
  readonly key: readonly string[]
  readonly columns: readonly string[]
  isRow(value: unknown): value is Row
  /** Whether it is a row, or would be one if its integers were within what a number holds exactly. */
  isInexactRow(value: unknown): value is Row
  /** What keeps the value from being a row: `.author_id: Expected integer`. */
  problemOf(value: unknown): string
}

function table<Columns extends TProperties>(
  key: readonly (keyof Columns & string)[],
  columns: Columns,
): Table<Readonly<Static<TObject<Columns>>>> {
  const check = TypeCompiler.Compile(Type.Object(columns))
  const inexact = TypeCompiler.Compile(unbounded(Type.Object(columns)))
  return {
    key,
    columns: Object.keys(columns),
    isRow: (value) => check.Check(value),
    isInexactRow: (value): value is Readonly<Static<TObject<Columns>>> => inexact.Check(value),
    problemOf(value) {
      const { path = '', message = 'does not fit' } = check.Errors(value).First() ?? {}
      return `${path.replaceAll('/', '.')}: ${message}`
    },
  }
}

/** The schema without the bounds of its integers. */
function unbounded({ minimum, maximum, ...schema }: TSchema): TSchema {
  const { properties, anyOf } = schema
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries<TSchema>(properties).map(([name, each]) => [name, unbounded(each)]),
      ),
    }),
    ...(anyOf && { anyOf: anyOf.map(unbounded) }),
  }
}

/** A BIGINT, exact as a JavaScript number. */
function integer<Value extends number = number>() {
  return Type.Unsafe<Value>(
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  )
}
const text = Type.String
/** Unix milliseconds. */
const time = integer

const definitions = {
  users: table(['id'], {
    id: integer<UserId>(),
    /** Unique without regard to case. */
    username: text(),
    display_name: text(),
    created_at: time(),
    updated_at: time(),
  }),
  posts: table(['id'], {
    id: integer<PostId>(),
    author_id: integer<UserId>(),
    text: text(),
    version: integer(),
    created_at: time(),
    edited_at: Type.Union([time(), Type.Null()]),
    updated_at: time(),
  }),
  follows: table(['follower_id', 'followee_id'], {
    follower_id: integer<UserId>(),
    followee_id: integer<UserId>(),
    id: integer<FollowId>(),
    created_at: time(),
  }),
  blocks: table(['blocker_id', 'blocked_id'], {
    blocker_id: integer<UserId>(),
    blocked_id: integer<UserId>(),
    created_at: time(),
  }),
  mutes: table(['muter_id', 'muted_id'], {
    muter_id: integer<UserId>(),
    muted_id: integer<UserId>(),
    created_at: time(),
  }),
  likes: table(['user_id', 'post_id'], {
    user_id: integer<UserId>(),
    post_id: integer<PostId>(),
    created_at: time(),
  }),
  comments: table(['id'], {
    id: integer<CommentId>(),
    post_id: integer<PostId>(),
    author_id: integer<UserId>(),
    text: text(),
    created_at: time(),
  }),
}

type Definitions = typeof definitions
export type CapturedTable = keyof Definitions
type Rows = {
  readonly [T in CapturedTable]: Definitions[T] extends Table<infer Row> ? Row : never
}

/** A row of the table as the database has it: BIGINTs as exact numbers, times as Unix milliseconds. */
export type RowOf<T extends CapturedTable> = Rows[T]

/**
 * Tables whose every committed change is published. A column that a migration adds later is optional
 * here, as records from before it lack it; columns that are not named here are let through unread.
 */
export const CAPTURED_TABLES: { readonly [T in CapturedTable]: Table<RowOf<T>> } = definitions

export const capturedTables = Object.keys(CAPTURED_TABLES) as readonly CapturedTable[]

export function isCapturedTable(name: string): name is CapturedTable {
  return Object.hasOwn(CAPTURED_TABLES, name)
}

/** A row with a value that nobody can read; all that come after it can be. */
export class UnreadableRowError extends TypeError {
  override readonly name: string = 'UnreadableRowError'
}

/** A row with an integer that no number holds exactly. */
export class InexactRowError extends UnreadableRowError {
  override readonly name = 'InexactRowError'
}

/**
 * The value as a row of the table. Throws a `TypeError` that names `what` and the column that is wrong; an
 * `UnreadableRowError` where whoever captured it could not read a value, also of a column that is none of ours: an
 * `InexactRowError` where nothing is wrong but the size of an integer.
 */
export function decodeRow<T extends CapturedTable>(
  table: T,
  value: unknown,
  what: string,
): RowOf<T> {
  const { isRow, isInexactRow, problemOf } = CAPTURED_TABLES[table]
  if (isRow(value)) {
    refuseUnreadable(value, what)
    return value
  }
  const Problem = isInexactRow(value) ? InexactRowError : TypeError
  throw new Problem(`${what}${problemOf(value)}`)
}

function refuseUnreadable(row: object, what: string) {
  for (const [name, cell] of Object.entries(row)) {
    if (typeof cell !== 'object' || cell === null || !('unreadable' in cell)) continue
    throw new UnreadableRowError(`${what}.${name} could not be read: ${cell.problem}`)
  }
}

/** The same, with integers rounded to what a number holds: for who shows a row and does not use it. */
export function decodeInexactRow<T extends CapturedTable>(
  table: T,
  value: unknown,
  what: string,
): RowOf<T> {
  const { isInexactRow, problemOf } = CAPTURED_TABLES[table]
  if (isInexactRow(value)) return value
  throw new TypeError(`${what}${problemOf(value)}`)
}

/** What tells the topics of one deployment from others'. */
export interface TopicNames {
  readonly prefix: string
  readonly database: string
  /** Of the topics of changes, which have other sizes; the first is 1, which is meant where none is given. */
  readonly generation?: number
}

/** The topic of a table's changes. */
export function topicName(
  { prefix, database, generation = 1 }: TopicNames,
  table: CapturedTable,
): string {
  return `${prefix}.${database}.${table}${generation === 1 ? '' : `-${generation}`}`
}

/** The topic of changes that were put aside. */
export function deadLetterTopic({ prefix, database }: TopicNames): string {
  return `${prefix}.${database}.dead-letters`
}

/** The most that one request may bring for one partition: `max.message.bytes` of every topic. */
export const TOPIC_MESSAGE_BYTES = 2 * 1024 * 1024
