import { rmSync } from 'node:fs'

const children = new Set<{ kill(signal: 'SIGKILL'): void }>()
const folders = new Set<string>()

// A command that a signal ends runs no `finally`, but it runs this.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Kills the process, if it still runs, when this one ends. */
export function killAtExit<
  Child extends { kill(signal: 'SIGKILL'): void; readonly exited: Promise<unknown> },
>(child: Child): Child {
  children.add(child)
  void child.exited.then(() => children.delete(child))
  return child
}

/** Removes the folder, if it is still there, when this process ends. */
export function removeAtExit(folder: string): string {
  folders.add(folder)
  return folder
}
