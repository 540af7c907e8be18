import { CAPTURE_MUTATIONS } from './capture'
import { CLIENT_MUTATIONS } from './client'
import { CONTAINER_MUTATIONS } from './containers'
import { DELIVERY_MUTATIONS } from './delivery'
import { EVENT_MUTATIONS } from './events'
import { FEED_MUTATIONS } from './feeds'
import { FENCE_MUTATIONS } from './fence'
import { KAFKA_MUTATIONS } from './kafka'
import { LIMIT_MUTATIONS } from './limits'
import { LIVE_MUTATIONS } from './live'
import { MEMORY_MUTATIONS } from './memory'
import type { Mutation } from './mutation'
import { MYSQL_CONNECTION_MUTATIONS } from './mysql-connections'
import { OPERATOR_MUTATIONS } from './operators'
import { PAGE_MUTATIONS } from './page'
import { REPLICA_MUTATIONS } from './replicas'
import { SEARCH_MUTATIONS } from './search'
import { SEQUENCE_MUTATIONS } from './sequences'
import { SETTING_MUTATIONS } from './settings'
import { STATEMENT_MUTATIONS } from './statements'
import { TEXT_MUTATIONS } from './texts'
import { TOPIC_MUTATIONS } from './topics'
import { VALUE_MUTATIONS } from './values'

export const MUTATIONS: readonly Mutation[] = [
  ...FEED_MUTATIONS,
  ...DELIVERY_MUTATIONS,
  ...CAPTURE_MUTATIONS,
  ...KAFKA_MUTATIONS,
  ...LIVE_MUTATIONS,
  ...EVENT_MUTATIONS,
  ...LIMIT_MUTATIONS,
  ...FENCE_MUTATIONS,
  ...MEMORY_MUTATIONS,
  ...MYSQL_CONNECTION_MUTATIONS,
  ...REPLICA_MUTATIONS,
  ...SEARCH_MUTATIONS,
  ...OPERATOR_MUTATIONS,
  ...SEQUENCE_MUTATIONS,
  ...SETTING_MUTATIONS,
  ...STATEMENT_MUTATIONS,
  ...TEXT_MUTATIONS,
  ...TOPIC_MUTATIONS,
  ...VALUE_MUTATIONS,
  ...CONTAINER_MUTATIONS,
  ...CLIENT_MUTATIONS,
  ...PAGE_MUTATIONS,
]
