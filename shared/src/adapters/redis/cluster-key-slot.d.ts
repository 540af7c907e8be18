declare module 'cluster-key-slot' {
  /** The slot of a Redis Cluster that holds a key: CRC16 of its hash tag, or of all of it. */
  export default function slotOf(key: string): number
}
