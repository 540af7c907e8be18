import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SettingProblem } from './parsers'

/** A file that a setting names, read once. */
export interface PemFile {
  readonly path: string
  readonly pem: string
}

/** Certificates as PEM, one or several: of the authorities that a server's own is checked against. */
export function certificateFile(path: string): PemFile {
  const pem = readText(path)
  if (!isCertificate(pem)) {
    throw new SettingProblem(
      `expected a file with a certificate as PEM (-----BEGIN CERTIFICATE-----); ${path} is none`,
    )
  }
  return { path, pem }
}

/** A private key as PEM. */
export function privateKeyFile(path: string): PemFile {
  const pem = readText(path)
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    throw new SettingProblem(
      `expected a file with a private key as PEM (-----BEGIN PRIVATE KEY-----); ${path} is none`,
    )
  }
  return { path, pem }
}

/** Throws a `SettingProblem` of one line where the file cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new SettingProblem(`expected a file that can be read; ${path} cannot (${code})`)
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null
  } catch {
    return false
  }
}
