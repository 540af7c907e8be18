const SAFE_BITS = 53

/**
 * A text as one number (xxHash64, cut to what a number holds), by which two programs see that they speak of the same
 * text.
 */
export function textHash(text: string): number {
  return Number(BigInt.asUintN(SAFE_BITS, Bun.hash.xxHash64(text)))
}
