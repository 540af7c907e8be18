const LONG_SECONDS = 1
const MOST = 10

/** The files of a JUnit report that took longest, a line each, longest first; none for what is over in a moment. */
export function slowestFiles(report: string): readonly string[] {
  const files = report.matchAll(/<testsuite name="([^"]*)" file="\1"[^>]*\btime="([\d.]+)"/g)
  return [...files]
    .map(([, file, seconds]) => ({ file, seconds: Number(seconds) }))
    .filter(({ seconds }) => seconds >= LONG_SECONDS)
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, MOST)
    .map(({ file, seconds }) => `${seconds.toFixed(0).padStart(5)} s  ${file}`)
}
