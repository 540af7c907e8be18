import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes the folder of a file for its owner alone; one that is there stays as its owner has it. */
export function makePrivateFolder(file: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 })
}

/** Makes an empty file for its owner alone. Throws where there is one. */
export function createPrivateFile(file: string): void {
  closeSync(openSync(file, 'wx', 0o600))
}

/** Resolves when what was written to the file, or which files a folder has, outlives a power cut. */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
