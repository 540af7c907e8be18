import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'

const program = JSON.stringify(join(import.meta.dir, 'program'))
const operatorError = JSON.stringify(join(import.meta.dir, '../errors/operator-error'))
const storeHalted = JSON.stringify(join(import.meta.dir, '../errors/store-halted'))

/** A process that runs `body` as its command. */
function spawn(body: string, drainMs: number | null = 10_000) {
  const child = Bun.spawn(
    [
      process.execPath,
      '-e',
      `import { runProgram } from ${program}
       import { OperatorError } from ${operatorError}
       import { StoreHalted } from ${storeHalted}
       await runProgram('test', async ({ args, signal, extendDrain, cutOffBySignals }) => { ${body} }, { args: ['a', 'b']${drainMs === null ? '' : `, drainMs: ${drainMs}`} })`,
    ],
    { stdout: 'pipe', stderr: 'pipe' },
  )
  const reader = child.stdout.getReader()
  return {
    child,
    /** Waits for the first output. */
    started: () => reader.read(),
    async end() {
      let stdout = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        stdout += new TextDecoder().decode(value)
      }
      const stderr = await new Response(child.stderr).text()
      await child.exited
      return { code: child.exitCode, stdout, stderr }
    },
  }
}

describe('a program', () => {
  test('ends with 0 when its command is done', async () => {
    expect(await spawn('console.log(args.join())').end()).toEqual({
      code: 0,
      stdout: 'a,b\n',
      stderr: '',
    })
  })

  test('says in one line that the disk is full', async () => {
    const body = `throw new Error('sqlite is unavailable', { cause: Object.assign(new Error('full'), { code: 'SQLITE_FULL' }) })`
    const { code, stderr } = await spawn(body).end()
    expect([code, stderr]).toEqual([
      1,
      'sns: the disk is full: make room where the data is, then run test again; what was answered is kept\n',
    ])
  })

  test('shows what the operator must mend as one line, with its exit code', async () => {
    expect(await spawn(`throw new OperatorError('WEB_PORT is\\n wrong', 2)`).end()).toEqual({
      code: 2,
      stdout: '',
      stderr: 'sns: WEB_PORT is wrong\n',
    })
  })

  test('and what a store waits for', async () => {
    expect(await spawn(`throw new StoreHalted('the disk is full: free space')`).end()).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sns: the disk is full: free space\n',
    })
  })

  test.each([
    [`throw new Error('a bug')`],
    [`Promise.reject(new Error('a bug')); await new Promise(() => setInterval(() => {}, 1000))`],
    [
      `setTimeout(() => { throw new Error('a bug') }); await new Promise(() => setInterval(() => {}, 1000))`,
    ],
  ])('logs what nobody expected and ends with 1: %s', async (body) => {
    const { code, stdout, stderr } = await spawn(body).end()
    expect(code).toBe(1)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ service: 'test', err: { message: 'a bug' } })
  })
})

describe('a signal', () => {
  const waiting = `console.log('up'); const alive = setInterval(() => {}, 1000)
    await new Promise((resolve) => signal.addEventListener('abort', resolve)); clearInterval(alive)`

  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it cleanly', async (signal) => {
    const running = spawn(`${waiting}; console.log('drained')`)
    await running.started()
    running.child.kill(signal)
    expect(await running.end()).toEqual({ code: 0, stdout: 'drained\n', stderr: '' })
  })

  test('twice ends it at once', async () => {
    const running = spawn(
      `${waiting}; console.log('draining'); await new Promise(() => setInterval(() => {}, 1000))`,
    )
    await running.started()
    running.child.kill('SIGTERM')
    await running.started()
    const asking = setInterval(() => running.child.kill('SIGTERM'), 20)
    const { code } = await running.end()
    clearInterval(asking)
    expect(code).toBe(143)
  })

  test('and its echo by `bun run` count as one', async () => {
    const running = spawn(
      `${waiting}; setInterval(() => {}, 1000)
       const echo = new Promise((resolve) => process.once('SIGINT', resolve))
       console.log('draining'); await echo; console.log('drained')`,
    )
    await running.started()
    running.child.kill('SIGINT')
    await running.started()
    running.child.kill('SIGINT')
    expect(await running.end()).toEqual({ code: 0, stdout: 'drained\n', stderr: '' })
  })

  test('leaves it more time where it asked for that', async () => {
    const running = spawn(
      `extendDrain(60_000); ${waiting}; await Bun.sleep(50); console.log('drained')`,
      1,
    )
    await running.started()
    running.child.kill('SIGTERM')
    expect(await running.end()).toEqual({ code: 0, stdout: 'drained\n', stderr: '' })
  })

  const forEver = 'await new Promise(() => setInterval(() => {}, 1000))'
  const stopped = 'sns: test was stopped; what it had done stays, and it may be run again\n'
  test.each([
    ['SIGINT', 130, 'takes no notice', forEver],
    ['SIGTERM', 143, 'takes no notice', forEver],
    [
      'SIGINT',
      130,
      'fails for it',
      `await new Promise((_, reject) => { setInterval(() => {}, 1000); signal.addEventListener('abort', () => reject(signal.reason)) })`,
    ],
  ] as const)(
    '%s ends with %d a command that serves nobody and %s',
    async (signal, code, _, body) => {
      const running = spawn(`console.log('up'); ${body}`, null)
      await running.started()
      running.child.kill(signal)
      expect(await running.end()).toEqual({ code, stdout: '', stderr: stopped })
    },
  )

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends at once what keeps JavaScript from running, where that may be cut off',
    async (signal) => {
      const running = spawn(
        `await cutOffBySignals(() => { console.log('up'); for (;;) Bun.sleepSync(1_000) })`,
        null,
      )
      await running.started()
      running.child.kill(signal)
      await running.end()
      expect(running.child.signalCode).toBe(signal)
    },
  )

  test('is heard again after what may be cut off', async () => {
    const running = spawn(`await cutOffBySignals(() => {}); ${waiting}; console.log('drained')`)
    await running.started()
    running.child.kill('SIGTERM')
    expect(await running.end()).toEqual({ code: 0, stdout: 'drained\n', stderr: '' })
  })

  test('ends it also where it does not drain in time', async () => {
    const running = spawn(`${waiting}; await new Promise(() => setInterval(() => {}, 1000))`, 20)
    await running.started()
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.end()
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'sns: test did not stop within 0.02 s; ended it\n',
    })
  })
})
