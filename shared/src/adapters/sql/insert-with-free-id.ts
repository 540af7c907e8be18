import { SnsError } from '../../errors/sns-error'
import { type Queryable, traitsOf } from './dialect'

const ATTEMPTS = 100

/**
 * Inserts under `id`, or under the next that is free where it is taken. `insert` is one statement;
 * `idIndexes` are the unique indexes whose refusal means that the id is taken. Other errors, refusals
 * by other indexes included, come out as they are.
 */
export async function insertWithFreeId<TheId extends number>(
  db: Queryable,
  id: TheId,
  idIndexes: readonly string[],
  insert: (id: TheId) => Promise<unknown>,
): Promise<TheId> {
  const { duplicateIndex } = traitsOf(db)
  for (let candidate = id, attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      await insert(candidate)
      return candidate
    } catch (error) {
      const index = duplicateIndex(error)
      if (index === null || !idIndexes.includes(index)) throw error
      candidate = (candidate + 1) as TheId
    }
  }
  throw new SnsError('internal', { detail: `no free id within ${ATTEMPTS} of ${id}` })
}
