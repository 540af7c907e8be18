import { readFileSync } from 'node:fs'

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
