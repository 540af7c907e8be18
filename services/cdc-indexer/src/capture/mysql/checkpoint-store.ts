import { IS_READ_ONLY } from '@sns/shared/adapters/sql/read-only'
import { OperatorError } from '@sns/shared/errors/operator-error'
import { storeUnavailable } from '@sns/shared/errors/sns-error'
import { epochOf, SEQUENCE_LEAP } from '@sns/shared/events/change-event'
import { highestOf } from '@sns/shared/events/gtid'
import { capturedTables } from '@sns/shared/events/tables'
import { parseWrittenTopics } from '@sns/shared/events/written-topics'
import type { BinlogPosition, SourceEpochs } from '../ports/binlog-source'
import {
  type CaptureLease,
  type Checkpoint,
  type CheckpointStore,
  MOVE_ON,
} from '../ports/checkpoint-store'
import { epochsOfServer, NO_EPOCHS } from '../source-epochs'
import { toCaptureError } from './errors'
import {
  createMysqlSession,
  isStatementError,
  type MysqlServer,
  type MysqlSession,
  numberCell,
  type SessionRow,
  textCell,
} from './session'

export interface MysqlCheckpointStoreOptions {
  /** How often the lock's connection is asked whether it still holds the lock. */
  readonly probeMs?: number
  /** How long it may take to answer before the lease counts as lost. */
  readonly probeTimeoutMs?: number
  /** How long the server keeps the lock of a holder that it hears nothing from. */
  readonly silenceSeconds?: number
}

/** The row of `capture_checkpoint` that this suite's one capture keeps. */
export const CHECKPOINT_NAME = 'capture'

/**
 * The checkpoint in the captured database. The lock is a MySQL user-level lock, so it ends with its
 * connection; everything written under a lease travels on that same connection, and is conditional on
 * the fence, which each new lease raises.
 */
export function createMysqlCheckpointStore(
  server: MysqlServer,
  { probeMs = 1_000, probeTimeoutMs = 3_000, silenceSeconds = 5 }: MysqlCheckpointStoreOptions = {},
): CheckpointStore {
  const sessions = new WeakMap<CaptureLease, MysqlSession>()
  const lock = lockName(server.database)

  async function acquire(): Promise<CaptureLease | null> {
    const lost = new AbortController()
    const session = createMysqlSession(server, {
      timeoutMs: probeTimeoutMs,
      onLost: () => lost.abort(),
    })
    try {
      // A holder whose host or network failed says no goodbye; it must not keep others out.
      await session.query(`SET SESSION wait_timeout = ${silenceSeconds}`)
      const [row] = await session.query('SELECT GET_LOCK(?, 0) AS locked', [lock])
      if (numberCell(row, 'locked') !== 1) {
        await session[Symbol.asyncDispose]()
        return null
      }
      const lease = await hold(session, lost)
      sessions.set(lease, session)
      return lease
    } catch (error) {
      session.destroy()
      throw toCaptureError(error)
    }
  }

  async function hold(session: MysqlSession, lost: AbortController): Promise<CaptureLease> {
    const [server] = await session.query(
      `SELECT @@GLOBAL.server_uuid AS id, ${IS_READ_ONLY} AS isReadOnly`,
    )
    // One that was the primary, or will be; its lock would say nothing.
    if (numberCell(server, 'isReadOnly') !== 0) {
      throw storeUnavailable('mysql', new Error('the server takes no writes (read_only)'))
    }
    await session.update('UPDATE capture_checkpoint SET fence = fence + 1 WHERE name = ?', [
      CHECKPOINT_NAME,
    ])
    const [row] = await session.query('SELECT fence FROM capture_checkpoint WHERE name = ?', [
      CHECKPOINT_NAME,
    ])
    const probe = setInterval(async () => {
      if (await stillHolds(session)) return
      clearInterval(probe)
      session.destroy()
      lost.abort()
    }, probeMs)
    return {
      // Without a checkpoint there is nothing to guard, and `load` says so.
      fence: row ? numberCell(row, 'fence') : 0,
      serverId: textCell(server, 'id').toLowerCase(),
      lost: lost.signal,
      async [Symbol.asyncDispose]() {
        clearInterval(probe)
        await session[Symbol.asyncDispose]()
      },
    }
  }

  async function stillHolds(session: MysqlSession): Promise<boolean> {
    try {
      const [row] = await session.query(
        `SELECT IS_USED_LOCK(?) = CONNECTION_ID() AND NOT ${IS_READ_ONLY} AS held`,
        [lock],
      )
      return row?.held === 1
    } catch {
      return false
    }
  }

  return {
    acquire,

    async load(lease) {
      await using own = createMysqlSession(server)
      const session = lease ? sessions.get(lease) : own
      if (!session || lease?.lost.aborted) throw lockLost()
      try {
        return await loadCheckpoint(session)
      } catch (error) {
        throw toCaptureError(error)
      }
    },

    async isLatest(lease) {
      const session = sessions.get(lease)
      if (!session || lease.lost.aborted) return false
      try {
        const [row] = await session.query('SELECT fence FROM capture_checkpoint WHERE name = ?', [
          CHECKPOINT_NAME,
        ])
        return row !== undefined && numberCell(row, 'fence') === lease.fence
      } catch (error) {
        throw toCaptureError(error)
      }
    },

    async save(lease, { gtidSet, last, file, pos, serverId, epochs }) {
      const session = sessions.get(lease)
      if (!session || lease.lost.aborted) throw lockLost()
      try {
        const matched = await session.update(
          `UPDATE capture_checkpoint
           SET gtid_set = ?, last_gtid = ?, last_committed_at = ?, file = ?, pos = ?,
             server_id = ?, epoch = ?, epochs = ?, updated_at = ?
           WHERE name = ? AND fence = ?`,
          [
            gtidSet,
            last?.gtid ?? null,
            last?.committedAt ?? null,
            file,
            pos,
            serverId,
            epochOf(epochs.last),
            JSON.stringify(epochs),
            Date.now(),
            CHECKPOINT_NAME,
            lease.fence,
          ],
        )
        return matched === 1
      } catch (error) {
        throw toCaptureError(error)
      }
    },

    async topics(lease) {
      const session = sessions.get(lease)
      if (!session || lease.lost.aborted) throw lockLost()
      try {
        const [row] = await session.query('SELECT topics FROM capture_checkpoint WHERE name = ?', [
          CHECKPOINT_NAME,
        ])
        return !row || row.topics === null ? null : parseWrittenTopics(textCell(row, 'topics'))
      } catch (error) {
        throw toCaptureError(error)
      }
    },

    async noteTopics(lease, topics) {
      const session = sessions.get(lease)
      if (!session || lease.lost.aborted) throw lockLost()
      try {
        const matched = await session.update(
          'UPDATE capture_checkpoint SET topics = ? WHERE name = ? AND fence = ?',
          [JSON.stringify(topics), CHECKPOINT_NAME, lease.fence],
        )
        return matched === 1
      } catch (error) {
        throw toCaptureError(error)
      }
    },
  }
}

function lockLost() {
  return storeUnavailable('mysql', new Error('the capture lock is lost'))
}

/** The checkpoint as the session's server has it; null before the first. */
export async function loadCheckpoint(session: MysqlSession): Promise<Checkpoint | null> {
  const [row] = await session.query(
    `SELECT gtid_set, last_gtid, last_committed_at, file, pos, server_id, epoch, epochs,
       (SELECT MAX(sequence) FROM log_sources) AS counted
     FROM capture_checkpoint WHERE name = ?`,
    [CHECKPOINT_NAME],
  )
  if (!row) return null
  const gtidSet = textCell(row, 'gtid_set').replace(/\s/g, '')
  const serverId = textCell(row, 'server_id').toLowerCase()
  return {
    gtidSet,
    last:
      row.last_gtid === null
        ? null
        : { gtid: textCell(row, 'last_gtid'), committedAt: numberCell(row, 'last_committed_at') },
    epochs: aboveCounted(
      row.epochs === null
        ? epochsOfServer(serverId, numberCell(row, 'epoch'), highestOf(gtidSet, serverId))
        : readEpochs(textCell(row, 'epochs')),
      row.counted === null ? 0 : numberCell(row, 'counted'),
    ),
    file: textCell(row, 'file'),
    pos: numberCell(row, 'pos'),
    serverId,
  }
}

/** Consumers have counted Debezium's records from there on: what follows is to have sequences above those. */
function aboveCounted({ last, starts }: SourceEpochs, from: number): SourceEpochs {
  return { last: from === 0 ? last : Math.max(last, from + SEQUENCE_LEAP), starts }
}

function readEpochs(text: string): SourceEpochs {
  const epochs: unknown = JSON.parse(text)
  if (isEpochs(epochs)) return epochs
  throw new OperatorError(`the epochs in capture_checkpoint are damaged; ${MOVE_ON}`)
}

function isEpochs(epochs: unknown): epochs is SourceEpochs {
  return (
    isRecord(epochs) &&
    Number.isSafeInteger(epochs.last) &&
    isRecord(epochs.starts) &&
    Object.values(epochs.starts).every(Number.isSafeInteger)
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** User-level locks belong to the server, not to a database; their names have at most 64 characters. */
export function lockName(database: string): string {
  const name = `sns.capture.${database}`
  return name.length <= 64 ? name : `sns.capture.${Bun.hash(database).toString(16)}`
}

/**
 * For `migrate`: writes the first checkpoint, which says where capture begins, once the table
 * `capture_checkpoint` exists. Leaves a checkpoint alone that is there. Returns what it wrote.
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
      ? { ...head, gtidSet: textCell(origin, 'purged').replace(/\s/g, ''), file: '', pos: 4 }
      : head
    const checkpoint = {
      ...from,
      serverId: textCell(origin, 'serverId').toLowerCase(),
    }
    const written = await session.update(
      `INSERT IGNORE INTO capture_checkpoint
       (name, gtid_set, file, pos, server_id, epoch, epochs, fence, updated_at)
       VALUES (?, ?, ?, ?, ?, 0, ?, 0, ?)`,
      [
        CHECKPOINT_NAME,
        checkpoint.gtidSet,
        checkpoint.file,
        checkpoint.pos,
        checkpoint.serverId,
        JSON.stringify(checkpoint.epochs),
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

const SYNTAX_ERROR = 1064

/** Where the binlog ends. The statement has another name before MySQL 8.4. */
export async function readHead(session: MysqlSession): Promise<BinlogPosition> {
  let status: SessionRow | undefined
  try {
    status = (await session.query('SHOW BINARY LOG STATUS'))[0]
  } catch (error) {
    if (!isStatementError(error) || error.errno !== SYNTAX_ERROR) throw error
    status = (await session.query('SHOW MASTER STATUS'))[0]
  }
  return {
    gtidSet: textCell(status, 'Executed_Gtid_Set').replace(/\s/g, ''),
    last: null,
    epochs: NO_EPOCHS,
    file: textCell(status, 'File'),
    pos: numberCell(status, 'Position'),
  }
}
