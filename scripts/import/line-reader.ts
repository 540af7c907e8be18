import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { asError } from '@sns/shared/errors/as-error'
import { OperatorError } from '@sns/shared/errors/operator-error'

/**
 * The lines of a UTF-8 file in order, `.gz` or plain, in constant memory; `\r` before the line end is
 * dropped, and so is an empty last line. Errors: `OperatorError` for a file that is missing,
 * unreadable or a broken archive.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of openFile(path)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield withoutReturn(line)
    }
  } catch (cause) {
    const problem = `${path} cannot be read to its end: ${asError(cause).message}`
    throw new OperatorError(problem, 1, { cause })
  }
  rest += decoder.decode()
  if (rest !== '') yield withoutReturn(rest)
}

/** Bun's own file, which also reads what an executable carries. */
function openFile(path: string): AsyncIterable<Uint8Array> {
  const bytes = Bun.file(path).stream()
  if (!path.endsWith('.gz')) return bytes
  const raw = Readable.from(bytes)
  const unpacked = createGunzip()
  raw.on('error', (error) => unpacked.destroy(error))
  return raw.pipe(unpacked)
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
