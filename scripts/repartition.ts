import { repartition as repartitionTopics } from '@sns/cdc-indexer/capture/kafka/repartition'
import { createMysqlCheckpointStore } from '@sns/cdc-indexer/capture/mysql/checkpoint-store'
import { environment } from '@sns/shared/config/environment'
import { loadSettings } from '@sns/shared/config/load-settings'
import { type Command, runProgram } from '@sns/shared/runtime/program'
import { COMMAND_LINES } from './commands'
import { readCommandLine, refuseOperands, withHelp } from './process/command-line'
import { onServers } from './process/server-command'
import { createProgress } from './progress'

const LINE = COMMAND_LINES.repartition

/** Has capture write topics of KAFKA_PARTITIONS partitions that hold the same records. */
export const repartition: Command = async ({ args, signal }) => {
  refuseOperands(LINE, readCommandLine(LINE, args).positionals)
  const { kafka } = loadSettings(environment, { role: LINE.role })
  const command = {
    name: 'repartition',
    role: LINE.role,
    embedded: 'embedded, there are no topics: repartition is for the servers',
  } as const
  await onServers(command, async (backend) => {
    const servers = await backend.forCapture()
    if (!servers) return
    const progress = createProgress('records')
    try {
      const { partitions, replication } = kafka
      const isMade = await repartitionTopics(
        { client: servers.kafka, checkpoints: createMysqlCheckpointStore(servers.mysql) },
        {
          ...servers.topics,
          partitions,
          replication,
          signal,
          onProgress: (step, done, total) => progress.update(step, done, total),
        },
      )
      progress.stop()
      console.log(
        isMade
          ? `capture writes topics of ${partitions} partitions from now on: start cdc-indexer. Consumers read them from the beginning`
          : `the topics have ${partitions} partitions`,
      )
    } finally {
      progress.stop()
    }
  })
}

if (import.meta.main)
  await runProgram('repartition', withHelp(LINE, repartition), { args: process.argv.slice(2) })
