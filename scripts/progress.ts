import { SingleBar } from 'cli-progress'

/** Shows the progress of a long job, one step at a time; `total` may be an estimate. */
export interface Progress {
  update(step: string, done: number, total: number): void
  stop(): void
}

const PLAIN_EVERY_MS = 2_000

/**
 * A bar with rate and time left on a terminal; elsewhere a plain line every two seconds and one at the
 * end of each step, so that logs stay readable.
 */
export function createProgress(
  unit: string,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  return stream.isTTY ? createBar(unit, stream) : createPlain(unit, stream)
}

function createBar(unit: string, stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | null = null
  let current = ''
  let meter = createMeter()
  return {
    update(step, done, total) {
      if (step !== current) {
        bar?.stop()
        meter = createMeter()
        current = step
        bar = new SingleBar({
          stream,
          format: `${step.padEnd(10)} {bar} {percentage}% · {value}/{total} · {rate} ${unit}/s · {left}`,
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 30,
          hideCursor: true,
        })
        bar.start(total, done, { rate: '–', left: '' })
      }
      const { rate, left } = meter(done, total)
      bar?.setTotal(total)
      bar?.update(done, { rate: rate.toLocaleString('en'), left })
    },
    stop() {
      bar?.stop()
      bar = null
    },
  }
}

function createPlain(unit: string, stream: NodeJS.WriteStream): Progress {
  let current = ''
  let meter = createMeter()
  let lastAt = 0
  return {
    update(step, done, total) {
      if (step !== current) {
        current = step
        meter = createMeter()
        lastAt = 0
      }
      const { rate, left } = meter(done, total)
      const now = performance.now()
      if (done < total && now - lastAt < PLAIN_EVERY_MS) return
      lastAt = now
      stream.write(`${step}: ${done}/${total} · ${rate.toLocaleString('en')} ${unit}/s · ${left}\n`)
    },
    stop() {},
  }
}

/** Rate and time left since the step began in this run. */
function createMeter() {
  const startedAt = performance.now()
  let first: number | null = null
  return (done: number, total: number): { rate: number; left: string } => {
    first ??= done
    const seconds = (performance.now() - startedAt) / 1000
    const rate = seconds > 0 ? Math.round((done - first) / seconds) : 0
    if (done >= total) return { rate, left: `${seconds.toFixed(1)} s` }
    return { rate, left: rate > 0 ? `${Math.ceil((total - done) / rate)} s left` : 'starting' }
  }
}
