import { type FileHandle, open } from 'node:fs/promises'

/**
 * Puts what was committed on disk, for many commits with one wait: a flush that starts after a commit
 * covers it, so all that gather while one runs share the next. It runs off the event loop, which
 * SQLite's own flush at each commit (`synchronous = full`) would hold up.
 *
 * Sound as SQLite takes no locks on the WAL file (closing any handle of a file drops a process's locks
 * on it) and keeps the file while connections are open.
 */
export class WalFlusher {
  #file: Promise<FileHandle> | null = null
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(private readonly walPath: string) {}

  /** Resolves when everything that was committed before the call is on disk. */
  flush(): Promise<void> {
    if (!this.#running) return this.#start()
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  async close(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => {})
    const file = await this.#file?.catch(() => null)
    await file?.close()
  }

  #start(): Promise<void> {
    this.#next = null
    this.#running = this.#sync().finally(() => {
      if (this.#next === null) this.#running = null
    })
    return this.#running
  }

  async #sync(): Promise<void> {
    this.#file ??= open(this.walPath, 'r+')
    try {
      await (await this.#file).datasync()
    } catch (error) {
      this.#file = null
      throw error
    }
  }
}
