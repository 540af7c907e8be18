/** The parts of a V8 `.cpuprofile` that a flame graph needs. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
    readonly children?: readonly number[]
  }[]
  /** The node that ran at each sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

/** Time by call stack: a frame with what ran below it. */
export interface Frame {
  readonly name: string
  readonly origin: string
  /** Microseconds in it and in what it called. */
  total: number
  readonly calls: Map<string, Frame>
}

const WIDTH = 1_200
const ROW = 15
/** Narrower frames are not drawn. */
const LEAST_PX = 0.6
const CHARACTER_PX = 6

const COLOURS: Readonly<Record<string, string>> = {
  ours: '#e8833a',
  library: '#6ea6d8',
  runtime: '#b9b9b9',
}

/** The stacks of the last `seconds` of a profile; time in which nothing ran is left out. */
export function foldProfile({ nodes, samples, timeDeltas }: CpuProfile, seconds: number): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const root = createFrame('all', '')
  let left = seconds * 1e6
  for (let at = samples.length - 1; at >= 0 && left > 0; at -= 1) {
    const spent = timeDeltas[at] ?? 0
    left -= spent
    const stack: { name: string; origin: string }[] = []
    for (let id = samples[at]; id !== undefined; id = parents.get(id)) {
      const frame = byId.get(id)?.callFrame
      if (!frame || frame.functionName === '(root)') continue
      stack.push({ name: frame.functionName || '(anonymous)', origin: originOf(frame.url) })
    }
    if (stack.length === 0 || stack[0]?.name === '(idle)') continue
    root.total += spent
    let current = root
    for (const { name, origin } of stack.reverse()) {
      const key = `${name} ${origin}`
      let next = current.calls.get(key)
      if (!next) {
        next = createFrame(name, origin)
        current.calls.set(key, next)
      }
      next.total += spent
      current = next
    }
  }
  return root
}

function createFrame(name: string, origin: string): Frame {
  return { name, origin, total: 0, calls: new Map() }
}

/** A source file as a reader knows it: a path in the project, a package, or the runtime. */
function originOf(url: string): string {
  const own = /\/((?:services|shared|scripts)\/(?!.*node_modules).*)$/.exec(url)?.[1]
  if (own) return own.replace('/src/', '/')
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? ''
}

/** Draws the frames as a picture whose widths are shares of time, callers above what they call. */
export function drawFlameGraph(root: Frame, title: string): string {
  const rows: string[] = []
  let depth = 0
  const draw = (frame: Frame, x: number, level: number) => {
    const width = (WIDTH * frame.total) / root.total
    if (width < LEAST_PX) return
    depth = Math.max(depth, level)
    rows.push(box(frame, { x, y: ROW * (level + 2), width, share: frame.total / root.total }))
    let next = x
    for (const call of [...frame.calls.values()].sort((a, b) => b.total - a.total)) {
      draw(call, next, level + 1)
      next += (WIDTH * call.total) / root.total
    }
  }
  draw(root, 0, 0)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${ROW * (depth + 4)}" font-family="monospace" font-size="10">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="4" y="14" font-size="12">${escapeXml(title)}</text>
<text x="4" y="27" fill="#555">orange: ours, blue: libraries, grey: the runtime. The width is the share of the time that the process ran.</text>
${rows.join('\n')}
</svg>
`
}

interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly share: number
}

function box({ name, origin }: Frame, { x, y, width, share }: Place): string {
  const kind =
    origin === '' ? 'runtime' : origin.includes('/') && origin[0] !== '@' ? 'ours' : 'library'
  const label = name.slice(0, Math.max(0, Math.floor((width - 4) / CHARACTER_PX)))
  const about = `${name} ${origin} ${(100 * share).toFixed(1)} %`
  const [left, wide] = [x.toFixed(1), Math.max(0.4, width - 0.4).toFixed(1)]
  return (
    `<g><title>${escapeXml(about)}</title>` +
    `<rect x="${left}" y="${y}" width="${wide}" height="${ROW - 1}" fill="${COLOURS[kind]}"/>` +
    (label.length < 3
      ? ''
      : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escapeXml(label)}</text>`) +
    '</g>'
  )
}

function escapeXml(text: string): string {
  return Bun.escapeHTML(text)
}
