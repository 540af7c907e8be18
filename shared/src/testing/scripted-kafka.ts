import { createServer, type Socket } from 'node:net'

type BrokerAt = 0 | 1

/** What the leader of a partition does with records for it. */
export type ProduceVerdict = 'append' | 'refuse' | 'hang-up'

export interface ScriptedKafkaOptions {
  readonly topic: string
  /** Which broker leads each partition at first. */
  readonly leaders: readonly BrokerAt[]
  /** Asked when records for a partition reach its leader. */
  readonly onProduce: (partition: number, kafka: ScriptedKafka) => ProduceVerdict
}

/** Two brokers with one topic, which answer a transactional producer as a test says. */
export interface ScriptedKafka extends AsyncDisposable {
  readonly brokers: readonly string[]
  /** From now on the broker leads the partition. */
  lead(partition: number, broker: BrokerAt): void
  /** How many records of each partition are in committed transactions. */
  committed(): readonly number[]
}

const NO_ERROR = 0
const NOT_LEADER = 6
const OUT_OF_ORDER = 45
const HEADER_BYTES = 8
/** Where a batch of records has its first sequence and their number. */
const SEQUENCE_AT = 53
const COUNT_AT = 57

/** Keys of the requests that a producer sends, with the versions that are spoken here. */
const API = {
  produce: 0,
  metadata: 3,
  coordinator: 10,
  versions: 18,
  producer: 22,
  enlist: 24,
  end: 26,
}
const SPOKEN: readonly (readonly [api: number, version: number])[] = [
  [API.produce, 7],
  [API.metadata, 1],
  [API.coordinator, 1],
  [API.versions, 1],
  [API.producer, 0],
  [API.enlist, 0],
  [API.end, 0],
]

/** Opens them on free ports. */
export async function openScriptedKafka({
  topic,
  leaders: first,
  onProduce,
}: ScriptedKafkaOptions): Promise<ScriptedKafka> {
  const leaders = [...first]
  const committed = leaders.map(() => 0)
  let open = leaders.map(() => 0)
  let sequences = leaders.map(() => 0)
  const sockets = new Set<Socket>()
  const servers = ([0, 1] as const).map((broker) =>
    createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
      let held = Buffer.alloc(0)
      socket.on('data', (data: Buffer) => {
        held = Buffer.concat([held, data])
        while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
          const request = held.subarray(4, 4 + held.readInt32BE(0))
          held = held.subarray(4 + request.length)
          answer(broker, socket, request)
        }
      })
    }),
  )
  await Promise.all(
    servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  )
  const portOf = (broker: number) => {
    const address = servers[broker]?.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  function answer(broker: BrokerAt, socket: Socket, request: Buffer) {
    const reader = new Reader(request, HEADER_BYTES)
    reader.text()
    const body = new Writer().int32(request.readInt32BE(4))
    switch (request.readInt16BE(0)) {
      case API.versions:
        body.int16(NO_ERROR).array(SPOKEN, ([api, version]) => {
          body.int16(api).int16(version).int16(version)
        })
        body.int32(0)
        break
      case API.metadata:
        body.array([0, 1], (node) => {
          body.int32(node).text('127.0.0.1').int32(portOf(node)).int16(-1)
        })
        body.int32(0).array([topic], (name) => {
          body.int16(NO_ERROR).text(name).int8(0)
          body.array([...leaders.entries()], ([partition, leader]) => {
            body.int16(NO_ERROR).int32(partition).int32(leader)
            for (const _ of ['replicas', 'in sync']) body.array([0, 1], (node) => body.int32(node))
          })
        })
        break
      case API.coordinator:
        body.int32(0).int16(NO_ERROR).int16(-1).int32(0).text('127.0.0.1').int32(portOf(0))
        break
      case API.producer:
        open = leaders.map(() => 0)
        sequences = leaders.map(() => 0)
        body.int32(0).int16(NO_ERROR).int64(1n).int16(0)
        break
      case API.enlist:
        body.int32(0).int32(0)
        break
      case API.end:
        for (const [partition, count] of open.entries()) {
          committed[partition] = (committed[partition] ?? 0) + count
        }
        open = leaders.map(() => 0)
        body.int32(0).int16(NO_ERROR)
        break
      case API.produce: {
        reader.text()
        reader.int16()
        reader.int32()
        const topics = reader.array(() => ({
          name: reader.text(),
          partitions: reader.array(() => append(broker, reader.int32(), reader.bytes())),
        }))
        const answers = topics.flatMap(({ partitions }) => partitions)
        if (answers.some(({ error }) => error === null)) {
          socket.destroy()
          return
        }
        body.array(topics, ({ name, partitions }) => {
          body.text(name).array(partitions, ({ partition, error }) => {
            body
              .int32(partition)
              .int16(error ?? NO_ERROR)
              .int64(0n)
              .int64(-1n)
              .int64(0n)
          })
        })
        body.int32(0)
        break
      }
      default:
        throw new Error(`request ${request.readInt16BE(0)} is not in the script`)
    }
    const bytes = body.bytes()
    socket.write(Buffer.concat([new Writer().int32(bytes.length).bytes(), bytes]))
  }

  /** As brokers do: what has been appended is acknowledged again, what leaves a gap is refused. */
  function append(broker: BrokerAt, partition: number, batch: Buffer) {
    if (leaders[partition] !== broker) return { partition, error: NOT_LEADER }
    const verdict = onProduce(partition, kafka)
    if (verdict === 'hang-up') return { partition, error: null }
    if (verdict === 'refuse') return { partition, error: NOT_LEADER }
    const [sequence, count] = [batch.readInt32BE(SEQUENCE_AT), batch.readInt32BE(COUNT_AT)]
    const next = sequences[partition] ?? 0
    if (sequence > next) return { partition, error: OUT_OF_ORDER }
    if (sequence === next) {
      sequences[partition] = next + count
      open[partition] = (open[partition] ?? 0) + count
    }
    return { partition, error: NO_ERROR }
  }

  const kafka: ScriptedKafka = {
    brokers: servers.map((_, broker) => `127.0.0.1:${portOf(broker)}`),
    lead(partition, broker) {
      leaders[partition] = broker
    },
    committed: () => [...committed],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
    },
  }
  return kafka
}

/** Reads what Kafka's protocol guide calls INT16, NULLABLE_STRING and so on. */
class Reader {
  readonly #from: Buffer
  #at: number

  constructor(from: Buffer, at: number) {
    this.#from = from
    this.#at = at
  }

  int16(): number {
    this.#at += 2
    return this.#from.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#from.readInt32BE(this.#at - 4)
  }

  text(): string {
    return this.#take(this.int16()).toString()
  }

  bytes(): Buffer {
    return this.#take(this.int32())
  }

  array<Each>(read: () => Each): readonly Each[] {
    return Array.from({ length: this.int32() }, read)
  }

  #take(length: number): Buffer {
    const from = this.#at
    this.#at += Math.max(0, length)
    return this.#from.subarray(from, this.#at)
  }
}

class Writer {
  readonly #parts: Buffer[] = []

  int8(value: number): this {
    return this.#put(1, (part) => part.writeInt8(value))
  }

  int16(value: number): this {
    return this.#put(2, (part) => part.writeInt16BE(value))
  }

  int32(value: number): this {
    return this.#put(4, (part) => part.writeInt32BE(value))
  }

  int64(value: bigint): this {
    return this.#put(8, (part) => part.writeBigInt64BE(value))
  }

  text(value: string): this {
    return this.int16(Buffer.byteLength(value)).#put(Buffer.byteLength(value), (part) =>
      part.write(value),
    )
  }

  array<Each>(values: readonly Each[], write: (each: Each) => void): this {
    this.int32(values.length)
    for (const each of values) write(each)
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #put(size: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(size)
    write(part)
    this.#parts.push(part)
    return this
  }
}
