/** Waits for a condition instead of for a time: asks until it holds, and says what it last saw if it never does. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000)
  let pause = 1
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value) return value as NonNullable<T>
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      throw new Error(`never came true: ${options.what ?? probe}`, { cause: last })
    }
    await Bun.sleep(pause)
    pause = Math.min(pause * 2, 50)
  }
}
