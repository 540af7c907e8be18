import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** Figures as they come, each told at once. */
export function collectFigures() {
  const figures: Figure[] = []
  return {
    figures: figures as readonly Figure[],
    add(name: string, value: number, unit: string): void {
      figures.push({ name, value: Math.round(value * 100) / 100, unit })
      console.error(`  ${name}: ${value.toLocaleString('en')} ${unit}`)
    },
  }
}

/** What the figures were measured on. */
function machine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    bun: Bun.version,
  }
}

/** Prints the figures as a table and saves them as `NAME.json` in `out`. */
export function report(
  name: string,
  out: string,
  conditions: Readonly<Record<string, string | number>>,
  figures: readonly Figure[],
): void {
  console.log(`\n| ${name} | ${Object.values(conditions).join(', ')} |\n|---|---|`)
  for (const { name: label, value, unit } of figures) {
    console.log(`| ${label} | ${value.toLocaleString('en')} ${unit} |`)
  }
  mkdirSync(out, { recursive: true })
  const file = join(out, `${name}.json`)
  const content = { name, date: new Date().toISOString(), machine: machine(), conditions, figures }
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
  console.log(`\nsaved as ${file}`)
}
