/** 128 random bits as hexadecimal digits. Not `crypto.randomUUID`, which pages that came over plain http lack. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
