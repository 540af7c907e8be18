import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import type { UserId } from '../../domain/id'
import type { NewNotification } from '../../ports/notification-store'
import { notificationStoreConformance } from '../../testing/notification-store-conformance'
import { signUp } from '../../testing/people'
import { testServers } from '../../testing/servers'
import { openTestStores } from '../../testing/sql-database'
import { createSqlNotificationStore } from './notification-store'

describe.skipIf(!testServers.mysql)('mysql', () => {
  notificationStoreConformance(() => openTestStores('mysql'))

  test('what was read costs a count nothing, and a list no more than its page', async () => {
    await using world = await openTestStores('mysql')
    const { notifications, users, graph, posts, engagement, ids, clock } = world
    const { db } = world.database
    const [me, ann, bob] = [await signUp(users), await signUp(users), await signUp(users)]
    const followed = (recipient: UserId, actor: UserId): NewNotification => ({
      recipient,
      kind: 'follow',
      actor,
      subject: 0,
      post: 0,
      at: clock.now(),
      isLate: false,
    })
    const likes: NewNotification[] = []
    for (let at = 0; at < 300; at += 1) {
      const id = ids.next<'post'>()
      await posts.create({ id, authorId: me.id, text: 'post', idempotencyKey: null })
      if (at < 5) await engagement.like(ann.id, id)
      likes.push({ ...followed(me.id, ann.id), kind: 'like', subject: id, post: id })
    }
    await db
      .insertInto('likes')
      .columns(['user_id', 'post_id', 'created_at'])
      .expression(
        db.selectFrom('posts').select([sql.lit(ann.id).as('user_id'), 'id', 'created_at']),
      )
      .ignore()
      .execute()
    await notifications.add(likes)
    const newest = async () =>
      (await notifications.list(me.id, { before: null, limit: 1 })).items[0]!
    await notifications.markRead(me.id, (await newest()).key)
    await graph.follow(bob.id, me.id)
    await notifications.add([followed(me.id, bob.id)])

    /** Rows that the server reads for it, on a connection of its own. */
    const rowsOf = (work: (same: typeof notifications) => Promise<void>) =>
      db.connection().execute(async (connection) => {
        await sql`flush local status`.execute(connection)
        await work(createSqlNotificationStore(connection, world))
        const { rows } = await sql<{ Value: string }>`show session status where
          Variable_name like 'Handler_read%'`.execute(connection)
        return rows.reduce((sum, { Value }) => sum + Number(Value), 0)
      })
    const counted = await rowsOf(async (same) => {
      expect(await same.countUnread(me.id, 100)).toBe(1)
    })
    expect(counted).toBeLessThan(30)
    const listed = await rowsOf(async (same) => {
      const { items } = await same.list(me.id, { before: null, limit: 3 })
      expect(items).toHaveLength(3)
    })
    expect(listed).toBeLessThan(150)
    // Noticed long after, and nothing unread beside: read from the start.
    await notifications.add(
      likes.map((each) => ({
        ...each,
        recipient: bob.id,
        at: clock.now() - 2 * 86_400_000,
        isLate: true,
      })),
    )
    const late = await rowsOf(async (same) => {
      expect(await same.countUnread(bob.id, 100)).toBe(0)
    })
    expect(late).toBeLessThan(10)
  })
})
