import { type Id, parseId } from '@sns/shared/domain/id'
import { SnsError } from '@sns/shared/errors/sns-error'

/** The id in a path. What is no id names nothing: `not_found`. */
export function pathId<Kind extends string>(text: string): Id<Kind> {
  const id = typeof text === 'string' ? parseId<Kind>(text) : null
  if (id === null) throw new SnsError('not_found')
  return id
}
