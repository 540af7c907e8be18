import { type Kysely, sql } from 'kysely'
import { OperatorError } from '../../errors/operator-error'
import { EPOCH_SEQUENCES, MAX_SEQUENCE, SEQUENCE_LEAP } from '../../events/change-event'
import { highestNumber, sourceOf } from '../../events/gtid'
import type { LogSources } from '../../ports/log-sources'
import type { Database } from '../sql/schema'

/** A GTID of MySQL's, tagged or not. */
const GTID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?::[a-z_][a-z\d_]{0,31})?:[1-9]\d*$/i
/** The binlog is written a moment before a transaction counts as executed. */
const EXECUTED_SECONDS = 1

/** The sources in the table `log_sources` of the captured database. */
export function createMysqlLogSources(db: Kysely<Database>): LogSources {
  async function recognize(gtid: string): Promise<string> {
    const source = sourceOf(gtid).toLowerCase()
    const known = await db
      .selectFrom('log_sources')
      .select('source')
      .where('source', '=', source)
      .executeTakeFirst()
    if (known) return source
    if (!GTID.test(gtid) || !(await isExecuted(gtid))) {
      throw new OperatorError(
        `transaction ${gtid} is of a source that this MySQL does not know: it has not executed it; have Debezium read the server that DATABASE_URL leads to`,
      )
    }
    await note(source, 0)
    return source
  }

  async function isExecuted(gtid: string): Promise<boolean> {
    const { rows } = await sql<{ readonly waited: number }>`select
      wait_for_executed_gtid_set(${gtid}, ${EXECUTED_SECONDS}) as waited`.execute(db)
    return Number(rows[0]?.waited) === 0
  }

  async function note(source: string, sequence: number): Promise<void> {
    await db
      .insertInto('log_sources')
      .values({ source, sequence, updated_at: Date.now() })
      .onDuplicateKeyUpdate({
        sequence: sql`greatest(sequence, values(sequence))`,
        updated_at: sql`values(updated_at)`,
      })
      .execute()
  }

  /** The highest that capture or a counting consumer may have begun from, or a bare GTID stood for. */
  async function highest(): Promise<number> {
    const { rows } = await sql<{
      readonly epoch: number | null
      readonly epochs: string | null
      readonly counted: number | null
      readonly executed: string
    }>`select
      (select epoch from capture_checkpoint limit 1) as epoch,
      (select epochs from capture_checkpoint limit 1) as epochs,
      (select max(sequence) from log_sources) as counted,
      @@global.gtid_executed as executed`.execute(db)
    const [row] = rows
    const last: unknown = JSON.parse(row?.epochs ?? 'null')?.last
    const inEpoch = Number(row?.epoch ?? 0) * EPOCH_SEQUENCES + highestNumber(row?.executed ?? '')
    return Math.max(Number(last ?? 0), Number(row?.counted ?? 0), inEpoch)
  }

  return {
    async recognize(gtid) {
      await recognize(gtid)
    },

    async leap(gtid) {
      const source = await recognize(gtid)
      const sequence = (await highest()) + SEQUENCE_LEAP
      if (sequence > MAX_SEQUENCE - SEQUENCE_LEAP) {
        throw new OperatorError(
          'the versions of documents are used up: choose another KEY_PREFIX, so that topics and indexes begin anew',
        )
      }
      await note(source, sequence)
      return sequence
    },
  }
}
