import {
  Counter,
  Gauge,
  Histogram,
  type HistogramConfiguration,
  type LabelValues,
} from 'prom-client'
import {
  combinations,
  type LabelDomains,
  type LabelledConfiguration,
  type LabelsOf,
  withLabelNames,
} from './label-domains'

/** A plain number that a counter adds to its own when it is read. */
export interface Tally {
  count: number
}

/**
 * A counter for what happens on every page: finding the value that belongs to some labels takes it longer than
 * many a step of a page does, so whoever counts holds a tally for the labels.
 */
export class TalliedCounter<const Domains extends LabelDomains> extends Counter<
  keyof Domains & string
> {
  readonly #tallies: { readonly labels: LabelsOf<Domains>; readonly tally: Tally }[] = []

  constructor(configuration: LabelledConfiguration<Domains>) {
    super(withLabelNames(configuration))
    for (const labels of combinations(configuration.labels)) this.inc(labels, 0)
  }

  tally(labels: LabelsOf<Domains>): Tally {
    const tally: Tally = { count: 0 }
    this.#tallies.push({ labels, tally })
    return tally
  }

  override get(): ReturnType<Counter<keyof Domains & string>['get']> {
    for (const { labels, tally } of this.#tallies) {
      if (tally.count > 0) this.inc({ ...labels }, tally.count)
      tally.count = 0
    }
    return super.get()
  }
}

/** A gauge of how many there are now, in `count`. */
export class TalliedGauge extends Gauge {
  count = 0

  override get(): ReturnType<Gauge['get']> {
    this.set(this.count)
    return super.get()
  }
}

/** Durations of one kind, counted by bucket. */
export class DurationTally {
  readonly #counts: number[]
  #sum = 0

  /** `bounds`: the inclusive upper ends of the buckets, in seconds, ascending. */
  constructor(private readonly bounds: readonly number[]) {
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(seconds: number): void {
    let at = 0
    while (at < this.bounds.length && seconds > (this.bounds[at] as number)) at += 1
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sum += seconds
  }

  /** As Prometheus has a histogram: how many were within each bound, how many there were, and their sum. */
  lines(name: string) {
    let within = 0
    const buckets = this.#counts.map((count, at) => {
      within += count
      return {
        labels: { le: this.bounds[at] ?? '+Inf' },
        value: within,
        metricName: `${name}_bucket`,
      }
    })
    return [
      ...buckets,
      { labels: {}, value: this.#sum, metricName: `${name}_sum` },
      { labels: {}, value: within, metricName: `${name}_count` },
    ]
  }
}

/** A histogram for what happens on every request, for the reason of `TalliedCounter`: it counts in its tallies only. */
export class TalliedHistogram<Label extends string> extends Histogram<Label> {
  readonly #tallies: { readonly labels: LabelValues<Label>; readonly tally: DurationTally }[] = []

  constructor(private readonly configuration: HistogramConfiguration<Label>) {
    super(configuration)
    this.observe = () => {
      throw new TypeError(`${configuration.name} is observed by its tallies`)
    }
  }

  /** To be asked for once for each set of labels. */
  tally(labels: LabelValues<Label>): DurationTally {
    const tally = new DurationTally(this.configuration.buckets ?? [])
    this.#tallies.push({ labels, tally })
    return tally
  }

  /** What `get` and a registry ask a histogram for. */
  async getForPromString() {
    const { name, help, aggregator = 'sum' } = this.configuration
    const values = this.#tallies.flatMap(({ labels: sharedLabels, tally }) =>
      tally.lines(name).map((line) => ({ ...line, sharedLabels })),
    )
    return { name, help, type: 'histogram', aggregator, values }
  }
}
