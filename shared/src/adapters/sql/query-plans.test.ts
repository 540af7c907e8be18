import { queryPlanConformance } from '../../testing/query-plan-conformance'

queryPlanConformance('sqlite')
