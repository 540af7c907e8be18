import { freshnessConformance } from '../../testing/freshness-conformance'
import { createMemoryFreshness } from './freshness'

freshnessConformance('MemoryFreshness', async () => ({
  processes: [createMemoryFreshness()],
  async [Symbol.asyncDispose]() {},
}))
