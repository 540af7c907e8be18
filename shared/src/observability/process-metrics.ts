import { Counter, Gauge, type Registry } from 'prom-client'

const DELAY_PROBE_MS = 500

/**
 * What a process uses. prom-client's own set walks the whole heap at each scrape under Bun, a fifth of
 * a second in which nobody is answered, for series that are empty or wrong there.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry]
  const delay = createDelayProbe()
  new Counter({
    name: 'sns_process_cpu_seconds_total',
    help: 'CPU time of the process, user and system',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'sns_process_resident_memory_bytes',
    help: 'Resident memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Gauge({
    name: 'sns_process_start_time_seconds',
    help: 'When the process started, seconds since the Unix epoch',
    registers,
  }).set(Math.round(Date.now() / 1000 - process.uptime()))
  new Gauge({
    name: 'sns_process_event_loop_delay_seconds',
    help: 'The longest that the event loop kept a timer waiting since the last scrape',
    registers,
    collect() {
      this.set(delay.takeLongest())
    },
  })
}

/** Notes how much later than asked a timer comes: what every request waits too. */
function createDelayProbe(): { takeLongest(): number } {
  let longest = 0
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, (now - last - DELAY_PROBE_MS) / 1000)
    last = now
  }, DELAY_PROBE_MS).unref()
  return {
    takeLongest() {
      const taken = longest
      longest = 0
      return taken
    },
  }
}
