import type { KafkaClient } from '../adapters/kafka/client'
import { capturedTables } from '../events/tables'
import { topicName } from '../events/topics'

/** Deletes those topics of a database that there are. */
export async function dropTopics(
  client: KafkaClient,
  { prefix, database }: { readonly prefix: string; readonly database: string },
): Promise<void> {
  const { kafka, drop } = client.session()
  const admin = kafka.admin()
  await admin.connect()
  try {
    const existing = new Set(await admin.listTopics())
    const ours = capturedTables.map((table) => topicName({ prefix, database }, table))
    const topics = ours.filter((topic) => existing.has(topic))
    if (topics.length > 0) await admin.deleteTopics({ topics })
  } finally {
    await admin.disconnect()
    drop()
  }
}
