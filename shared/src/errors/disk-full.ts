const CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']

/** Whether the error, or one that it comes from, says that there is no space left. */
export function isDiskFull(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 10; depth += 1) {
    if ('code' in each && CODES.includes(each.code)) return true
    each = each.cause
  }
  return false
}
