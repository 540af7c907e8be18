import { describe } from 'bun:test'
import { changeLogConformance } from '../../testing/change-log-conformance'
import { openKafkaTestLog } from '../../testing/kafka-log'
import { testServers } from '../../testing/servers'

describe.skipIf(!testServers.kafka)('on Kafka', () => {
  changeLogConformance('KafkaChangeLog', () => openKafkaTestLog())
})
