/**
 * An error that only the operator can fix: a wrong setting, a port in use, a server too old. The message is
 * one line that says what is wrong and what to do. The program prints that line and exits with `exitCode`,
 * without a stack trace.
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
