import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { cdcIndexer } from '@sns/cdc-indexer/main'
import { eventually } from '@sns/shared/testing/eventually'
import { spawnProgram } from '../../scripts/process/program-process'
import { startSilentServer } from '../silent-server'

const VARIABLE = 'BUN_JSC_forceRAMSize'

/** What the runtime of a process was told when it started; null where nothing. */
function toldTo(pid: number): string | null {
  const told = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  return told.find((each) => each.startsWith(`${VARIABLE}=`))?.slice(VARIABLE.length + 1) ?? null
}

describe.skipIf(!existsSync('/proc/self/environ'))('the runtime', () => {
  const bytes = String(cdcIndexer.runtimeMemory)

  test.each([
    ['of cdc-indexer collects early by itself', ['cdc-indexer'], {}, bytes],
    ['of cdc-indexer does as an operator has it', ['cdc-indexer'], { [VARIABLE]: '4e8' }, '4e8'],
    ['of fanout-worker is left alone', ['fanout-worker'], {}, null],
    ['of all in one process is left alone', [], {}, null],
  ] as const)('%s', async (_, args, env, told) => {
    using server = startSilentServer()
    await using program = spawnProgram('start', args, {
      DATABASE_URL: `mysql://nobody:nothing@127.0.0.1:${server.port}/sns`,
      SECRET_KEY: 'x'.repeat(32),
      ...env,
    })
    await eventually(() => server.connections() > 0)
    // The process that was started is the one that goes on: signals and exit codes are its own.
    expect(toldTo(program.pid)).toBe(told)
    expect(await program.stop()).toBe(143)
    expect(program.output()).toEndWith(
      'sns: start was stopped; what it had done stays, and it may be run again\n',
    )
  })
})
