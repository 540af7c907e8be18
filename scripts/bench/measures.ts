import { readdirSync, readFileSync } from 'node:fs'

/** The sum over all label sets of a series in Prometheus' text format; 0 where it is absent. */
export function samples(text: string, name: string): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line)
    if (match?.[1] === name) sum += Number(match[2])
  }
  return sum
}

/** Resident memory of a process in MiB; NaN where the system does not tell. */
export function residentMiB(pid: number): number {
  try {
    const [, kilobytes] =
      /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round(Number(kilobytes) / 1024)
  } catch {
    return Number.NaN
  }
}

/** The kernel counts processor time in these. */
const TICKS_PER_SECOND = 100
/** In `/proc/PID/stat` after the name: user and system time. */
const [USER_TIME, SYSTEM_TIME] = [11, 12]

/**
 * Seconds of processor time of every process so far, by name: what `names` calls it, else its program's,
 * servers in Java by what they run. Empty where the system does not tell.
 */
export function processorSeconds(names: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>()
  for (const pid of processes()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])
      const name = names.get(pid) ?? programName(pid, stat)
      seconds.set(name, (seconds.get(name) ?? 0) + ticks / TICKS_PER_SECOND)
    } catch {
      // It has ended.
    }
  }
  return seconds
}

function processes(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

function programName(pid: number, stat: string): string {
  const name = /\((.*)\)/.exec(stat)?.[1] ?? ''
  if (name !== 'java') return name
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  return /elasticsearch|kafka/i.exec(command)?.[0].toLowerCase() ?? name
}
