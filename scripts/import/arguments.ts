import { parseArgs } from 'node:util'
import { asError } from '@sns/shared/errors/as-error'
import { OperatorError } from '@sns/shared/errors/operator-error'
import type { ImportFiles } from './survey'

export interface ImportArguments {
  readonly files: ImportFiles
  /** What all imported users log in with; null: nobody can. */
  readonly password: string | null
}

const USAGE =
  'usage: import --graph FILE --posts FILE [--posts FILE …] [--limit-users N] [--password PASSWORD]'

/** Reads the command line. Throws an `OperatorError` of exit code 2 that says what is wrong. */
export function readImportArguments(args: readonly string[]): ImportArguments {
  const { graph, posts, ...rest } = parse(args)
  if (!graph) throw wrong('--graph is missing')
  const limit = rest['limit-users']
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    throw wrong(`--limit-users is "${limit}", not a number of users`)
  }
  const { password = null } = rest
  if (password !== null && password.length < 8) throw wrong('--password needs 8 characters or more')
  return {
    files: {
      graph,
      posts: posts ?? [],
      limitUsers: limit ? Number(limit) : Number.POSITIVE_INFINITY,
    },
    password,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        graph: { type: 'string' },
        posts: { type: 'string', multiple: true },
        'limit-users': { type: 'string' },
        password: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw wrong(asError(error).message)
  }
}

function wrong(problem: string): OperatorError {
  return new OperatorError(`${problem}; ${USAGE}`, 2)
}
