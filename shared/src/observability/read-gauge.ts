import { Gauge } from 'prom-client'

/** A gauge whose value is asked for at each scrape; 0 until somebody can tell. */
export class ReadGauge extends Gauge {
  #read: () => number = () => 0

  readFrom(read: () => number): void {
    this.#read = read
  }

  /** Called by the registry. */
  collect(): void {
    this.set(this.#read())
  }
}
