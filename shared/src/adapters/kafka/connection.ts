import { sleep } from '../../async/sleep'
import type { KafkaClient, KafkaSession } from './kafka-client'
import { translateKafkaError } from './kafka-error'

/** What kafkajs' producer and admin have in common. */
interface Connectable {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

/** A producer or admin that connects on first use, and anew after any error. */
export interface KafkaConnection<T extends Connectable> extends AsyncDisposable {
  /** Fails with `store_unavailable` when the answer takes longer than the timeout. */
  run<R>(ask: (connected: T) => Promise<R>, timeoutMs?: number): Promise<R>
}

const ANSWER_MS = 15_000
const DISCONNECT_MS = 3_000

export function createKafkaConnection<T extends Connectable>(
  client: KafkaClient,
  create: (kafka: KafkaSession['kafka']) => T,
): KafkaConnection<T> {
  let current: { readonly session: KafkaSession; readonly ready: Promise<T> } | null = null

  function open() {
    const session = client.session()
    const connectable = create(session.kafka)
    const ready = connectable.connect().then(() => connectable)
    ready.catch(() => {})
    return { session, ready }
  }

  return {
    async run(ask, timeoutMs = ANSWER_MS) {
      current ??= open()
      const mine = current
      const answered = new AbortController()
      try {
        return await Promise.race([mine.ready.then(ask), rejectAfter(timeoutMs, answered.signal)])
      } catch (error) {
        if (current === mine) current = null
        mine.session.drop()
        throw translateKafkaError(error)
      } finally {
        answered.abort()
      }
    },
    async [Symbol.asyncDispose]() {
      const mine = current
      current = null
      if (!mine) return
      const goodbye = mine.ready.then((connectable) => connectable.disconnect()).catch(() => {})
      await Promise.race([goodbye, sleep(DISCONNECT_MS)])
      mine.session.drop()
    },
  }
}

function rejectAfter(ms: number, answered: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    answered.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
