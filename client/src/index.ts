export {
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type ListenOptions,
  type ListName,
  type Methods,
  type ServerEvent,
} from './client.js'
export type * from './contract.js'
export { ProblemError, UnreachableError } from './problem.js'
export { randomKey } from './random-key.js'
export { browserSession, memorySession, type SessionStore, type StoredSession } from './session.js'
