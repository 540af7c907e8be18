import { unwrapSchema } from '@elysiajs/openapi/openapi'
import {
  AccountChange,
  AccountDeletion,
  Login,
  OpenSession,
  OpenSessionPage,
  RefreshTokenBody,
  Session,
  Signup,
} from '../../modules/accounts/schema'
import { Comment, CommentDraft, CommentPage } from '../../modules/engagement/schema'
import { Post, PostDraft, PostPage } from '../../modules/posts/schema'
import { PostHit, PostHitPage } from '../../modules/search/schema'
import { Author, Profile, User, UserPage } from '../../modules/users/schema'
import { Problem } from '../problem'

/** The version of OpenAPI that the generator is asked for. */
export const GENERATOR_VERSION = '3.1.2'

const NAMED = {
  AccountChange,
  AccountDeletion,
  Author,
  Comment,
  CommentDraft,
  CommentPage,
  Login,
  OpenSession,
  OpenSessionPage,
  Post,
  PostDraft,
  PostHit,
  PostHitPage,
  PostPage,
  Problem,
  Profile,
  RefreshTokenBody,
  Session,
  Signup,
  User,
  UserPage,
}

/** The contract's schemas by name, in the dialect of the document. */
export function componentSchemas(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(NAMED).map(([name, schema]) => [
      name,
      plain(unwrapSchema(schema, undefined, 'output', GENERATOR_VERSION)),
    ]),
  )
}

/** Replaces every copy of a named schema by a reference to it; `self` is the name of `value`, if it has one. */
export function referTo(
  schemas: Readonly<Record<string, unknown>>,
  value: unknown,
  self?: string,
): unknown {
  const names = new Map(
    Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]),
  )
  const visit = (node: unknown, isRoot: boolean): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return node.map((each) => visit(each, false))
    const name = isRoot ? undefined : names.get(JSON.stringify(node))
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
    return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, visit(each, false)]))
  }
  return visit(plain(value), self !== undefined)
}

/** Our own keywords (see `http/fields`) as JSON Schema says them, lengths in code points. */
function plain(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) return node.map(plain)
  const { noValidate: _, rule: __, ...known } = node as Record<string, unknown>
  const { characters, secret, shape, formats, ...rest } = known
  const entries = Object.entries(rest).map(([key, each]) => [key, plain(each)])
  const lengths = Array.isArray(characters)
    ? { minLength: characters[0], maxLength: characters[1] }
    : {}
  const format = secret === true ? { format: 'password' } : {}
  const pattern = shape === undefined ? {} : { pattern: shape }
  const anyOf = Array.isArray(formats) ? { anyOf: formats.map((each) => ({ format: each })) } : {}
  return { ...Object.fromEntries(entries), ...lengths, ...format, ...pattern, ...anyOf }
}
