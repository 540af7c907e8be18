import { open } from 'node:fs/promises'
import { asError } from '../../errors/driver-error'
import { OperatorError } from '../../errors/operator-error'

/** What a flush needs of the WAL file. */
export interface WalFile {
  /** Resolves when everything that was written to the file before the call is on disk. */
  datasync(): Promise<void>
  close(): Promise<void>
}

export interface WalFlusherDeps {
  readonly openFile: (path: string) => Promise<WalFile>
}

export interface WalFlusherOptions {
  readonly path: string
}

/**
 * Puts what was committed on disk, for many commits with one wait: a flush that starts after a commit
 * covers it, so all that gather while one runs share the next. It runs off the event loop, which
 * SQLite's own flush at each commit (`synchronous = full`) would hold up.
 *
 * A flush that failed is the last: the kernel may have dropped what it could not write and report
 * success the next time, which would leave a hole before commits that are acknowledged then.
 *
 * Sound as SQLite takes no locks on the WAL file (closing any handle of a file drops a process's locks
 * on it) and keeps the file while connections are open.
 */
export interface WalFlusher extends AsyncDisposable {
  /** Resolves when everything that was committed before the call is on disk. */
  flush(): Promise<void>
  /** Aborts when a flush fails, with an `OperatorError` as its reason; every later flush throws that. */
  readonly failure: AbortSignal
}

export const walFiles: WalFlusherDeps = { openFile: (path) => open(path, 'r+') }

export function createWalFlusher(
  { openFile }: WalFlusherDeps,
  { path }: WalFlusherOptions,
): WalFlusher {
  const failure = new AbortController()
  let file: Promise<WalFile> | null = null
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null

  async function sync(): Promise<void> {
    failure.signal.throwIfAborted()
    try {
      file ??= openFile(path)
      await (await file).datasync()
    } catch (error) {
      failure.abort(flushFailed(path, error))
      throw failure.signal.reason
    }
  }

  function start(): Promise<void> {
    next = null
    running = sync().finally(() => {
      if (next === null) running = null
    })
    return running
  }

  return {
    flush() {
      if (!running) return start()
      next ??= running.then(start, start)
      return next
    },
    failure: failure.signal,
    async [Symbol.asyncDispose]() {
      await (next ?? running)?.catch(() => {})
      const opened = await file?.catch(() => null)
      await opened?.close()
    },
  }
}

function flushFailed(path: string, error: unknown): OperatorError {
  return new OperatorError(
    `${path} cannot be flushed to disk (${asError(error).message}): nothing more is written, and the process stops; check the disk, then start it again`,
    1,
    { cause: error },
  )
}
