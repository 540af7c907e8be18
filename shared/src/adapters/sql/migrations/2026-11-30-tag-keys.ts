import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tagKeysIn } from '../../../domain/entities'

const BATCH = 500

interface Row {
  readonly id: number
  readonly text: string
}

/**
 * Derives the tags of earlier posts again, by the rules of today: keys are folded as search folds, and tags end elsewhere.
 * The one migration that depends on the domain: a later change of its rules needs another one, and then this one does
 * no more than the later.
 */
export function tagKeys(kind: 'mysql' | 'sqlite'): Migration {
  const insert = kind === 'mysql' ? sql`insert ignore` : sql`insert or ignore`
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (let after = 0; ; ) {
        const { rows } = await sql<Row>`select id, text from posts
          where id > ${after} and (text like '%#%' or text like '%＃%' or text like '%﹟%')
          order by id limit ${sql.lit(BATCH)}`.execute(db)
        const last = rows.at(-1)
        if (last === undefined) return
        const ids = sql.join(rows.map(({ id }) => id))
        const tags = rows.flatMap(({ id, text }) =>
          tagKeysIn(text).map((tag) => sql`(${tag}, ${id})`),
        )
        await sql`delete from post_tags where post_id in (${ids})`.execute(db)
        if (tags.length > 0) {
          await sql`${insert} into post_tags (tag, post_id) values ${sql.join(tags)}`.execute(db)
        }
        after = last.id
      }
    },
  }
}
