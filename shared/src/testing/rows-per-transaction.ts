import type { Kysely, KyselyPlugin } from 'kysely'
import type { Database } from '../adapters/sql/schema'

/** A database that counts the rows which each transaction, or statement outside of one, changes. One caller at a time. */
export function countRowsPerTransaction(db: Kysely<Database>): {
  readonly db: Kysely<Database>
  /** The most rows that one changed since the last call. */
  takeMost(): number
} {
  let counts = [0]
  const count: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      counts[counts.length - 1] = (counts.at(-1) ?? 0) + Number(result.numAffectedRows ?? 0n)
      return result
    },
  }
  const counted = db.withPlugin(count)
  const begin = counted.transaction.bind(counted)
  counted.transaction = () => {
    counts.push(0)
    return begin()
  }
  return {
    db: counted,
    takeMost() {
      const most = Math.max(...counts)
      counts = [0]
      return most
    },
  }
}
