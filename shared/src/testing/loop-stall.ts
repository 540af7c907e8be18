/**
 * The longest that the event loop was held while `work` ran, in milliseconds of processor time that this thread spent in
 * one turn: how long anybody else would have had to wait on an idle machine, whatever else this one does.
 */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = spentMs()
  let isOver = false
  const turn = () => {
    const now = spentMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isOver = true
  turn()
  return longest
}

function spentMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
