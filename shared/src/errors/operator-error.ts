/**
 * Something only the operator can mend: a wrong setting, a port in use, a server too old. The message
 * is one line that says what is wrong and what to do; a program that meets it prints that line and
 * exits with `exitCode`, without a stack.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'

  constructor(
    message: string,
    readonly exitCode: number = 1,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options)
  }
}
