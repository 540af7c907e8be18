import { test } from 'bun:test'
import { checkFeedProperty, type Outage } from '../../testing/feed-property'
import { openTestApi } from '../../testing/test-api'
import { unreliableFreshness, unreliableTimelines } from '../../testing/unreliable-stores'

test('whatever happens, a feed is what the rows say', async () => {
  const outage: Outage = { isDown: () => false }
  await using api = await openTestApi({
    timelineCap: 5,
    maxWaiting: 4,
    wrap: (deps) => ({
      ...deps,
      timelines: unreliableTimelines(deps.timelines, () => outage.isDown()),
      freshness: unreliableFreshness(deps.freshness, () => outage.isDown()),
    }),
  })
  await checkFeedProperty(api, outage, { runs: 30 })
}, 120_000)
