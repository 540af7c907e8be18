/** Combining marks that stand in the wrong order: the costliest text there is to normalise. */
export function disorderedMarks(bytes: number): string {
  return '\u0315\u0316'.repeat(bytes / 4)
}

/** Letters of as many bytes. */
export function plainLetters(bytes: number): string {
  return 'x'.repeat(bytes)
}
