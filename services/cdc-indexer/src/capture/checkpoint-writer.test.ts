import { expect, test } from 'bun:test'
import { eventually } from '@sns/shared/testing/eventually'
import { createCheckpointWriter } from './checkpoint-writer'
import type { BinlogPosition } from './ports/binlog-source'
import { NO_EPOCHS } from './source-epochs'

test('for a while after a change it goes on saving where capture is, though nothing changes any more', async () => {
  const saved: BinlogPosition[] = []
  const writer = createCheckpointWriter(
    { save: async (position) => void saved.push(position), onError: () => {} },
    { intervalMs: 0, idleIntervalMs: 3_600_000 },
  )
  const at = (pos: number) => ({ gtidSet: '', last: null, epochs: NO_EPOCHS, file: 'a', pos })
  writer.offer(at(1), true)
  await eventually(() => saved.length === 1)
  writer.offer(at(2), false)
  await eventually(() => saved.length === 2, { timeoutMs: 20_000 })
  expect(saved.map(({ pos }) => pos)).toEqual([1, 2])
  await writer.flush()
}, 30_000)
