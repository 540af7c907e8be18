/** Lets one holder in at a time, in the order they asked. */
export class Mutex {
  #held = false
  readonly #waiting: (() => void)[] = []

  /** Takes the lock if nobody holds or awaits it. */
  tryAcquire(): boolean {
    if (this.#held) return false
    this.#held = true
    return true
  }

  acquire(): Promise<void> {
    if (this.tryAcquire()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#held = false
  }
}
