import { Counter, type CounterConfiguration } from 'prom-client'

/** The labels of a metric, each with all the values that it can have. */
export type LabelDomains = Readonly<Record<string, readonly string[]>>

/** One value for each label. */
export type LabelsOf<Domains extends LabelDomains> = {
  readonly [Label in keyof Domains & string]: Domains[Label][number]
}

/** A counter's configuration, with its labels' values in place of their names. */
export type LabelledConfiguration<Domains extends LabelDomains> = Omit<
  CounterConfiguration<keyof Domains & string>,
  'labelNames'
> & { readonly labels: Domains }

/** A counter that takes no labels but those it was declared with. */
export interface LabelledCounter<Domains extends LabelDomains>
  extends Pick<Counter<keyof Domains & string>, 'get'> {
  inc(labels: LabelsOf<Domains>, value?: number): void
}

/**
 * A counter that is exported at 0 for every combination of its labels from the start. `increase()` and `rate()` see a
 * series only from its second sample on: one that began with the first failure would hide that failure.
 */
export function createLabelledCounter<const Domains extends LabelDomains>(
  configuration: LabelledConfiguration<Domains>,
): LabelledCounter<Domains> {
  const counter = new Counter(withLabelNames(configuration))
  for (const labels of combinations(configuration.labels)) counter.inc(labels, 0)
  return counter
}

/** The configuration as prom-client takes it. */
export function withLabelNames<Domains extends LabelDomains>({
  labels,
  ...others
}: LabelledConfiguration<Domains>): CounterConfiguration<keyof Domains & string> {
  return { ...others, labelNames: Object.keys(labels) }
}

/** Every choice of one value for each label. */
export function combinations<Domains extends LabelDomains>(
  domains: Domains,
): readonly Record<keyof Domains & string, string>[] {
  let chosen: Record<string, string>[] = [{}]
  for (const [label, values] of Object.entries(domains)) {
    chosen = chosen.flatMap((some) => values.map((value) => ({ ...some, [label]: value })))
  }
  return chosen as Record<keyof Domains & string, string>[]
}
