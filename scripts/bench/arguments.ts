import { resolve } from 'node:path'
import { COMMAND_LINES } from '../commands'
import { misused, readCommandLine } from '../process/command-line'

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

const LINE = COMMAND_LINES.bench

/** Reads the command line. Throws an `OperatorError` of exit code 2 that says what is wrong. */
export function readBenchArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = readCommandLine(LINE, args)
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw misused(LINE, 'name one benchmark')
  const posts = values.posts ?? []
  if ((values.graph === undefined) !== (posts.length === 0)) {
    throw misused(LINE, '--graph and --posts go together')
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
