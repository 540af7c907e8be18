import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteDatabase } from '@sns/shared/adapters/sqlite/database'
import { lockForProcess } from '@sns/shared/adapters/sqlite/process-lock'
import { temporaryFolder } from '@sns/shared/testing/temporary-folder'
import { spawnProgram } from '../../scripts/process/program-process'

/** Nothing listens there: whoever gets that far says so. */
const NOWHERE = 'mysql://nobody:none@127.0.0.1:1/none'

test('move-to-servers refuses the database of a suite that runs', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'sns.db')
  await (await openSqliteDatabase({ path }))[Symbol.asyncDispose]()
  const move = async () => {
    await using program = spawnProgram('move-to-servers', [path], { DATABASE_URL: NOWHERE })
    return { code: await program.exited, output: program.output() }
  }
  {
    using _running = lockForProcess(path)
    expect(await move()).toEqual({
      code: 1,
      output: expect.stringContaining('is in use by another sns process'),
    })
  }
  expect((await move()).output).not.toContain('in use')
}, 30_000)
