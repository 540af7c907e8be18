import { describe } from 'bun:test'
import { queryPlanConformance } from '../../testing/query-plan-conformance'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.mysql)('MySQL', () => {
  queryPlanConformance('mysql')
})
