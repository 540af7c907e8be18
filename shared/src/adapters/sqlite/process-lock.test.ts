import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OperatorError } from '../../errors/operator-error'
import { lockForProcess } from './process-lock'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sns-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('one holds it at a time, the next when it is let go', () => {
  const path = join(folder, 'new/folder/sns.db')
  const first = lockForProcess(path)
  expect(() => lockForProcess(path)).toThrow('is in use by another sns process')
  first[Symbol.dispose]()
  lockForProcess(path)[Symbol.dispose]()
})

test('a link to the database is no way around it', () => {
  const path = join(folder, 'sns.db')
  writeFileSync(path, '')
  symlinkSync(path, join(folder, 'link.db'))
  using _ = lockForProcess(path)
  expect(() => lockForProcess(join(folder, 'link.db'))).toThrow('is in use')
})

test('a killed process lets go of it', async () => {
  const path = join(folder, 'sns.db')
  const module = JSON.stringify(join(import.meta.dir, 'process-lock'))
  const holder = Bun.spawn(
    [
      process.execPath,
      '-e',
      `import { lockForProcess } from ${module}
       globalThis.held = lockForProcess(${JSON.stringify(path)})
       console.log('held')
       setInterval(() => {}, 1000)`,
    ],
    { stdout: 'pipe' },
  )
  await holder.stdout.getReader().read()
  expect(() => lockForProcess(path)).toThrow(OperatorError)
  holder.kill('SIGKILL')
  await holder.exited
  lockForProcess(path)[Symbol.dispose]()
})

test('a folder that cannot be made is named', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(() => lockForProcess(join(file, 'sns.db'))).toThrow(/DATABASE_URL: .*cannot be made/)
})
