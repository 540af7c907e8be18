declare module 'kafkajs/src/network/requestQueue' {
  /** The part of kafkajs' own class that we mend. */
  export default class RequestQueue {
    readonly pending: readonly unknown[]
    scheduleCheckPendingRequests(): void
  }
}
