import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { OperatorError } from '@sns/shared/errors/operator-error'

/**
 * The lines of a UTF-8 file in order, `.gz` or plain, in constant memory; `\r` before the line end is
 * dropped, and so is an empty last line. Errors: `OperatorError` for a file that is missing,
 * unreadable or a broken archive.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  await assertReadable(path)
  const raw = createReadStream(path, { highWaterMark: 1 << 18 })
  const bytes = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  raw.on('error', (error) => bytes.destroy(error))
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of bytes) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield withoutReturn(line)
    }
  } catch (cause) {
    throw new OperatorError(`${path} cannot be read to its end: ${reason(cause)}`, 1, { cause })
  }
  rest += decoder.decode()
  if (rest !== '') yield withoutReturn(rest)
}

/** Errors: `OperatorError` naming the file. */
export async function assertReadable(path: string): Promise<void> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is not a file')
  } catch (cause) {
    throw new OperatorError(`${path} cannot be read: ${reason(cause)}`, 1, { cause })
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
