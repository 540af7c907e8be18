import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { OperatorError } from '../errors/operator-error'
import { listen } from './http-listener'

const local = { host: '127.0.0.1', port: 0, portSetting: 'WEB_PORT' } as const

function refusal(start: () => unknown): string {
  try {
    start()
  } catch (error) {
    if (error instanceof OperatorError) return error.message
    throw error
  }
  throw new Error('it listens')
}

describe('listen', () => {
  test('answers at its URL', async () => {
    await using listener = listen(new Elysia().get('/', 'here'), local)
    expect(await (await fetch(listener.url)).text()).toBe('here')
  })

  test('a port in use is named with its setting, and never shared', async () => {
    await using listener = listen(new Elysia(), local)
    const port = Number(new URL(listener.url).port)
    const message = refusal(() => listen(new Elysia(), { ...local, port }))
    expect(message).toBe(
      `port ${port} on 127.0.0.1 is in use: stop what listens there or choose another WEB_PORT`,
    )
  })

  test.each(['203.0.113.4', 'no.such.host.invalid'])('%s is no address of ours', (host) => {
    expect(refusal(() => listen(new Elysia(), { ...local, host }))).toStartWith(
      `WEB_HOST is "${host}"`,
    )
  })

  test('never shows its code where an app fails', async () => {
    let development: boolean | undefined
    const app = {
      listen(options: { development: boolean }) {
        development = options.development
      },
      async stop() {},
      server: null,
    }
    await using _listener = listen(app, local)
    expect(development).toBe(false)
  })

  test('disposing answers what is in flight and takes nothing new', async () => {
    const arrived = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const app = new Elysia().get('/', async () => {
      arrived.resolve()
      await goOn.promise
      return 'answered'
    })
    const listener = listen(app, local)
    const inFlight = fetch(listener.url).then((response) => response.text())
    await arrived.promise
    const disposed = listener[Symbol.asyncDispose]()
    await expect(fetch(listener.url)).rejects.toThrow()
    goOn.resolve()
    expect(await inFlight).toBe('answered')
    await disposed
  })

  test('disposing cuts off what takes longer than the grace', async () => {
    const arrived = Promise.withResolvers<void>()
    const app = new Elysia().get('/', () => {
      arrived.resolve()
      return new Promise(() => {})
    })
    const listener = listen(app, local, { graceMs: 10 })
    const inFlight = fetch(listener.url).then(
      () => 'answered',
      () => 'cut off',
    )
    await arrived.promise
    await listener[Symbol.asyncDispose]()
    expect(await inFlight).toBe('cut off')
  })
})
