/** Lets timers and I/O run: promises that are resolved already would keep the event loop to themselves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
