import { Counter, Gauge, type LabelValues } from 'prom-client'

/** A plain number that a counter adds to its own when it is read. */
export interface Tally {
  count: number
}

/**
 * A counter for what happens on every page: finding the value that belongs to some labels takes it longer than
 * many a step of a page does, so whoever counts holds a tally for the labels.
 */
export class TalliedCounter<Label extends string> extends Counter<Label> {
  readonly #tallies: { readonly labels: LabelValues<Label>; readonly tally: Tally }[] = []

  tally(labels: LabelValues<Label>): Tally {
    const tally: Tally = { count: 0 }
    this.#tallies.push({ labels, tally })
    return tally
  }

  override get(): ReturnType<Counter<Label>['get']> {
    for (const { labels, tally } of this.#tallies) {
      if (tally.count > 0) this.inc(labels, tally.count)
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
