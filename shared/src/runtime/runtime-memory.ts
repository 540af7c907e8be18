import { environment } from '../config/environment'
import { thisProgram } from './processes'

/** Read by the runtime when it starts: bytes of memory that it takes the machine to have. */
const VARIABLE = 'BUN_JSC_forceRAMSize'

/**
 * Has this process run in a runtime that takes the machine to have so many bytes of memory: the less, the sooner it
 * collects. As that is read once, at the start, the process becomes the same program again: its id, streams, folder and
 * signals stay, and this does not return. Where the environment names a number already, that one stays.
 */
export function limitRuntimeMemory(bytes: number): void {
  if (environment[VARIABLE]) return
  const [file, ...args] = thisProgram()
  process.execve?.(file, [file, ...args], { ...environment, [VARIABLE]: String(bytes) })
}
