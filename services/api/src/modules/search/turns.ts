import { yieldToEventLoop } from '@sns/shared/async/sleep'

/** How long work goes on before others have a turn, in milliseconds. */
const TURN_MS = 4

/** For work of many steps: awaited after each, it lets everything else have a turn where the steps took long. */
export function createTurns(): () => Promise<void> {
  let startedAt = performance.now()
  return async () => {
    if (performance.now() - startedAt < TURN_MS) return
    await yieldToEventLoop()
    startedAt = performance.now()
  }
}
