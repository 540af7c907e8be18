import { expect, test } from 'bun:test'
import { logLevel } from 'kafkajs'
import { createLogger } from '../../observability/logger'
import { createDriverLog } from './driver'

function openLog() {
  const lines: [string, string][] = []
  const logger = createLogger('test', 'silent')
  for (const level of ['debug', 'info', 'warn'] as const) {
    logger[level] = ((_: object, message: string) => void lines.push([level, message])) as never
  }
  let now = 0
  const write = createDriverLog(logger, () => now)
  return {
    lines,
    pass(milliseconds: number) {
      now += milliseconds
    },
    say(message: string, level = logLevel.ERROR) {
      write({ namespace: 'Connection', level, label: '', log: { timestamp: '', message } })
    },
  }
}

test('what a broker that is away makes kafkajs repeat is written now and then', () => {
  const { lines, say, pass } = openLog()
  for (let second = 0; second < 60; second += 1) {
    say('connection refused')
    pass(1_000)
  }
  say('something else')
  expect(lines).toEqual([
    ['warn', 'kafkajs: connection refused'],
    ['warn', 'kafkajs: connection refused'],
    ['warn', 'kafkajs: something else'],
  ])
})

test('each is one step quieter than kafkajs means it', () => {
  const { lines, say } = openLog()
  say('an error', logLevel.ERROR)
  say('a warning', logLevel.WARN)
  say('a remark', logLevel.INFO)
  expect(lines.map(([level]) => level)).toEqual(['warn', 'info', 'debug'])
})

test('what is repeated all the time is not forgotten for all that is said once', () => {
  const { lines, say } = openLog()
  for (let n = 0; n < 300; n += 1) {
    say('connection refused')
    say(`request ${n} failed`)
  }
  expect(lines.filter(([, message]) => message.endsWith('refused'))).toHaveLength(1)
})
