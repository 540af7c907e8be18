import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { asError } from '@sns/shared/errors/driver-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

export interface BenchArguments {
  readonly name: string
  readonly graph: string | null
  readonly posts: readonly string[]
  /** Smaller and shorter: under a minute, for a first impression. */
  readonly isQuick: boolean
  /** The script that starts Debezium on a database's table, to measure beside ours. */
  readonly debezium: string | null
  /** Where `NAME.json` goes. */
  readonly out: string
}

const USAGE =
  'usage: bench baseline|cdc|fanout|feed|flame|search|writes [--graph FILE --posts FILE …] [--debezium SCRIPT] [--quick] [--out DIR]'

/** Reads the command line. Throws an `OperatorError` of exit code 2 that says what is wrong. */
export function readBenchArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parse(args)
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw wrong('name one benchmark')
  const posts = values.posts ?? []
  if ((values.graph === undefined) !== (posts.length === 0)) {
    throw wrong('--graph and --posts go together')
  }
  return {
    name,
    // Programs that read them run in another folder.
    graph: values.graph === undefined ? null : resolve(values.graph),
    posts: posts.map((path) => resolve(path)),
    isQuick: values.quick ?? false,
    debezium: values.debezium === undefined ? null : resolve(values.debezium),
    out: values.out ?? 'bench-out',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        graph: { type: 'string' },
        posts: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        debezium: { type: 'string' },
        out: { type: 'string' },
      },
    })
  } catch (error) {
    throw wrong(asError(error).message)
  }
}

function wrong(problem: string): OperatorError {
  return new OperatorError(`${problem}; ${USAGE}`, 2)
}
