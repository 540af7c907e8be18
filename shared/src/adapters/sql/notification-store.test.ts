import { expect, test } from 'bun:test'
import { CompiledQuery, sql } from 'kysely'
import { notificationStoreConformance } from '../../testing/notification-store-conformance'
import { signUp } from '../../testing/people'
import { openTestStores } from '../../testing/sql-database'

notificationStoreConformance(() => openTestStores('sqlite'))

test('counts and lists go down the index of the list, whatever the statistics say', async () => {
  await using world = await openTestStores('sqlite')
  const { db } = world.database
  const { notifications, users } = world
  const [me, ann] = [await signUp(users), await signUp(users)]
  const at = world.clock.now()
  const follow = { recipient: me.id, kind: 'follow', actor: ann.id, subject: 0, post: 0 } as const
  await notifications.add([{ ...follow, at, isLate: false }])
  // As after an import: every table is said to be tiny, and the index of the list to tell nothing apart.
  await sql`analyze`.execute(db)
  await sql`delete from sqlite_stat1`.execute(db)
  await sql`insert into sqlite_stat1 values ('users', null, '1'),
    ('notifications', 'notifications_list', '100000 100000 100000 100000 100000 100000')`.execute(
    db,
  )
  await sql`analyze sqlite_schema`.execute(db)
  const before = { noticedAt: at, kind: 0, actor: ann.id, subject: 0 }
  const statements = await world.statementsOf(async () => {
    await notifications.markRead(me.id, before)
    await notifications.countUnread(me.id, 100)
    await notifications.list(me.id, { before, limit: 20 })
  })
  const plans: string[] = []
  for (const { sql: text, parameters } of statements.filter((each) =>
    each.sql.includes(' as n '),
  )) {
    const { rows } = await db.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${text}`, [...parameters]),
    )
    plans.push(rows.map(({ detail }) => detail).join('\n'))
  }
  expect(plans).toHaveLength(2)
  const [unread = '', list = ''] = plans
  expect(unread).toContain(
    'SEARCH n USING INDEX notifications_list (recipient_id=? AND noticed_at>?)',
  )
  expect(list).toContain(
    'SEARCH n USING INDEX notifications_list (recipient_id=? AND noticed_at>? AND noticed_at<?)',
  )
  for (const plan of plans) expect(plan).not.toMatch(/SCAN (n|users|posts|comments)\b|TEMP B-TREE/)
})
