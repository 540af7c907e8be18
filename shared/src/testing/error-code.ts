import { isSnsError } from '../errors/sns-error'

/** Runs `work` and returns the code of its error. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    if (isSnsError(error)) return error.code
    throw error
  }
}
