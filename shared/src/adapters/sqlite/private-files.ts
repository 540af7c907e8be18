import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes the folder of a file for its owner alone; one that is there stays as its owner has it. */
export function makePrivateFolder(file: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 })
}

/** Makes an empty file for its owner alone. Throws where there is one. */
export function createPrivateFile(file: string): void {
  closeSync(openSync(file, 'wx', 0o600))
}

/** Makes an empty file for its owner alone where there is none. A file that is there is not even opened. */
export function ensurePrivateFile(file: string): void {
  try {
    createPrivateFile(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** Takes a file of ours from all but its owner: an earlier version, or a copy, may have left it open to them. */
export function closeToOthers(file: string): void {
  if (!existsSync(file)) return
  const { mode, uid } = statSync(file)
  const isOurs = uid === process.getuid?.()
  if (isOurs && (mode & 0o077) !== 0) chmodSync(file, 0o600)
}

/** Returns when what was written to a file, or which files a folder has, is on disk. */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
