import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { isSnsError } from '@sns/shared/errors/sns-error'
import { eventually } from '@sns/shared/testing/eventually'
import { testServers } from '@sns/shared/testing/servers'
import { createTcpProxy } from '@sns/shared/testing/tcp-proxy'
import type { BinlogPosition } from '../ports/binlog-source'
import {
  type BinlogFixture,
  collect,
  insertPosts,
  openBinlogFixture,
  readItems,
} from '../testing/binlog-fixture'

setDefaultTimeout(60_000)

describe.skipIf(!testServers.mysql)('MysqlBinlogSource and a server that goes away', () => {
  let fixture: BinlogFixture
  beforeAll(async () => {
    fixture = await openBinlogFixture()
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  test('a killed connection ends the stream as unavailable, and the next one misses nothing', async () => {
    await using source = fixture.source()
    const from = await fixture.head()
    await fixture.write(insertPosts([401]))
    const seen: number[] = []
    let position: BinlogPosition = from
    let failure: unknown = null
    try {
      for await (const item of readItems(source, from, new AbortController().signal)) {
        if (item.kind === 'change') seen.push(Number(item.event.after?.id))
        else if (seen.length > 0 && position === from) {
          position = item.position
          await killDump()
          await fixture.write(insertPosts([402]))
        }
      }
    } catch (error) {
      failure = error
    }
    expect(isSnsError(failure, 'store_unavailable')).toBe(true)
    const rest = await collect(source, position, (all) => all.length > 0)
    expect([...new Set([...seen, ...rest.changes.map(({ after }) => after?.id)])]).toEqual([
      401, 402,
    ])
  })

  async function killDump() {
    await eventually(async () => {
      const dumps = await fixture.writer.query(
        `SELECT processlist.id FROM information_schema.processlist
         JOIN performance_schema.session_connect_attrs AS attribute
           ON attribute.processlist_id = processlist.id
         WHERE processlist.command LIKE 'Binlog Dump%'
           AND attribute.attr_name = 'captured_database' AND attribute.attr_value = ?`,
        [fixture.server.database],
      )
      for (const { id } of dumps) await fixture.writer.query(`KILL CONNECTION ${id}`)
      return dumps.length > 0
    })
  }

  test('notices a server that hangs, and reads on when it is back', async () => {
    const { host, port } = fixture.server
    await using proxy = await createTcpProxy(`${host}:${port}`)
    await using source = fixture.source({ heartbeatMs: 200, silenceMs: 1_000 }, proxy)
    const from = await fixture.head()
    await fixture.write(insertPosts([451]))
    let failure: unknown = null
    let position: BinlogPosition = from
    try {
      for await (const item of readItems(source, from, new AbortController().signal)) {
        if (item.kind !== 'commit') continue
        position = item.position
        proxy.stall()
      }
    } catch (error) {
      failure = error
    }
    expect(isSnsError(failure, 'store_unavailable')).toBe(true)
    await proxy.resume()
    await fixture.write(insertPosts([452]))
    const rest = await collect(source, position, (all) =>
      all.some(({ after }) => after?.id === 452),
    )
    expect(rest.changes.map(({ after }) => after?.id)).toContain(452)
  })

  test('an idle stream lives on heartbeats', async () => {
    await using source = fixture.source({ heartbeatMs: 100, silenceMs: 400 })
    const from = await fixture.head()
    const collecting = collect(source, from, (all) => all.length > 0)
    // Three times as long as a silence may last: nothing but heartbeats keeps it alive.
    await Bun.sleep(1_200)
    await fixture.write(insertPosts([461]))
    expect((await collecting).changes.map(({ after }) => after?.id)).toEqual([461])
  })

  test('waits until a transaction is visible, and gives up in time', async () => {
    await using source = fixture.source({ visibleTimeoutMs: 300 })
    const { id } = fixture
    await source.awaitVisible(`${id}:1`)
    const failure = await source.awaitVisible(`${id}:999999999999`).catch((error) => error)
    expect(isSnsError(failure, 'store_unavailable')).toBe(true)
  })

  test('asks about what the server said before only once, and again when it reads anew', async () => {
    const { host, port } = fixture.server
    await using proxy = await createTcpProxy(`${host}:${port}`)
    await using source = fixture.source({ visibleTimeoutMs: 300 }, proxy)
    const { id } = fixture
    const from = await fixture.head()
    await fixture.write(insertPosts([471]))
    const { last } = await collect(source, from, (all) => all.length > 0)
    const gtid = last.last?.gtid ?? ''
    await source.awaitVisible(gtid)
    await proxy.cut()
    const visible = (which: string) =>
      source.awaitVisible(which).then(
        () => true,
        (error) => !isSnsError(error, 'store_unavailable'),
      )
    expect(await visible(`${id}:1`)).toBe(true)
    expect(await visible(gtid)).toBe(true)
    expect(await visible(`${id}:999999999999`)).toBe(false)
    // Its history may be another one, in which the same name is not visible yet.
    await collect(source, from, () => true).catch(() => {})
    expect(await visible(gtid)).toBe(false)
  })
})
