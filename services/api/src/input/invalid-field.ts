import { SnsError } from '@sns/shared/errors/sns-error'

export function invalidField(field: string, message: string): SnsError {
  return new SnsError('invalid_request', {
    detail: `${field} ${message}`,
    fields: [{ field, message }],
  })
}
