import { capturedTables } from '../../contract/tables'
import type { Checkpoint } from '../../ports/checkpoint-store'
import { toCaptureError } from './binlog-errors'
import { createMysqlSession, type MysqlServer, textCell } from './binlog-session'
import { readHead } from './binlog-source'
import { CHECKPOINT_NAME } from './checkpoint-store'

/**
 * Where capture begins, for `migrate`: writes the first checkpoint, once `capture_checkpoint` exists,
 * and never touches one that is there. Returns it if it was written.
 *
 * It begins at the end of the log while the captured tables are empty. Where rows were written before
 * (a migrate that died half-way, say), it begins at the oldest transaction the server still holds.
 */
export async function initCheckpoint(server: MysqlServer): Promise<Checkpoint | null> {
  await using session = createMysqlSession(server)
  try {
    const present = await session.query('SELECT name FROM capture_checkpoint WHERE name = ?', [
      CHECKPOINT_NAME,
    ])
    if (present.length > 0) return null
    // In this order: a row that is not seen below was committed after this position.
    const head = await readHead(session)
    const [origin] = await session.query(
      'SELECT @@GLOBAL.server_uuid AS serverId, @@GLOBAL.gtid_purged AS purged',
    )
    const from = (await hasRows())
      ? { gtidSet: textCell(origin, 'purged').replace(/\s/g, ''), file: '', pos: 4 }
      : head
    const checkpoint = {
      ...from,
      serverId: textCell(origin, 'serverId').toLowerCase(),
      epoch: 0,
    }
    const written = await session.update(
      `INSERT IGNORE INTO capture_checkpoint
       (name, gtid_set, file, pos, server_id, epoch, fence, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
      [
        CHECKPOINT_NAME,
        checkpoint.gtidSet,
        checkpoint.file,
        checkpoint.pos,
        checkpoint.serverId,
        checkpoint.epoch,
        Date.now(),
      ],
    )
    return written === 1 ? checkpoint : null
  } catch (error) {
    throw toCaptureError(error)
  }

  async function hasRows(): Promise<boolean> {
    const there = await session.query(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?',
      [server.database],
    )
    const names = new Set(there.map((row) => textCell(row, 'name')))
    for (const table of capturedTables) {
      if (!names.has(table)) continue
      const [row] = await session.query(`SELECT 1 AS one FROM ${table} LIMIT 1`)
      if (row) return true
    }
    return false
  }
}
