import { freshnessFenceConformance } from './freshness-fence-conformance'
import { createMemoryFreshnessFence } from './memory-freshness-fence'

// The histories of a simulated world rest on it.
freshnessFenceConformance('the fence of simulations', async () => ({
  fence: createMemoryFreshnessFence(() => 0),
  async [Symbol.asyncDispose]() {},
}))
