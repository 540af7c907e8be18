import { describe, expect, test } from 'bun:test'
import type { FreshnessFence } from '../ports/freshness-fence'

export interface FenceHarness extends AsyncDisposable {
  readonly fence: FreshnessFence
}

/** What every `FreshnessFence` must do; each test opens a fence of its own. */
export function freshnessFenceConformance(name: string, open: () => Promise<FenceHarness>): void {
  describe(name, () => {
    test('is closed, for no server, before anybody opened it', async () => {
      await using harness = await open()
      expect(await harness.fence.read()).toMatchObject({ isOpen: false, server: '' })
    })

    test('opens once, for a server, in a new term', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation, term } = await fence.read()
      await fence.report('one', 'a')
      expect(await fence.open('a', generation)).toBe(true)
      expect(await fence.open('a', generation)).toBe(false)
      expect(await fence.read()).toEqual({ generation, isOpen: true, server: 'a', term: term + 1 })
    })

    test('closes once, even if several close it, and still names its server', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation } = await fence.read()
      await fence.open('a', generation)
      const states = await Promise.all([fence.close(), fence.close(), fence.close()])
      const closed = { isOpen: false, server: 'a', generation: generation + 1 }
      for (const state of states) expect(state).toMatchObject(closed)
    })

    test('keeps the term for the same server, raises it for another', async () => {
      await using harness = await open()
      const { fence } = harness
      const reopen = async (server: string) => {
        const { generation } = await fence.close()
        expect(await fence.open(server, generation)).toBe(true)
        return (await fence.read()).term
      }
      const first = await reopen('a')
      expect(await reopen('a')).toBe(first)
      expect(await reopen('b')).toBe(first + 1)
      expect(await reopen('a')).toBe(first + 2)
    })

    test('is another term after its server was forgotten, for the same server too', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation } = await fence.read()
      await fence.open('a', generation)
      expect(await fence.forgetServer(generation)).toBe(false)
      const closed = await fence.close()
      expect(await fence.forgetServer(generation)).toBe(false)
      expect(await fence.forgetServer(closed.generation)).toBe(true)
      expect(await fence.forgetServer(closed.generation)).toBe(true)
      expect(await fence.read()).toEqual({ ...closed, server: '' })
      await fence.open('a', closed.generation)
      expect((await fence.read()).term).toBe(closed.term + 1)
    })

    test('stays closed for a generation that is over', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation } = await fence.read()
      await fence.open('a', generation)
      const { generation: later } = await fence.close()
      expect(await fence.open('a', generation)).toBe(false)
      expect(await fence.open('a', later)).toBe(true)
    })

    test('stays closed while a process is on another server, or on none', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation } = await fence.read()
      await fence.report('one', 'a')
      for (const server of ['b', null]) {
        await fence.report('two', server)
        expect(await fence.open('a', generation)).toBe(false)
      }
      await fence.report('two', 'a')
      expect(await fence.open('a', generation)).toBe(true)
    })

    test('forgets a process that left', async () => {
      await using harness = await open()
      const { fence } = harness
      const { generation } = await fence.read()
      await fence.report('two', null)
      expect(await fence.open('a', generation)).toBe(false)
      await fence.leave('two')
      expect(await fence.open('a', generation)).toBe(true)
    })
  })
}
