import { loadSettings } from '@sns/shared/config/load-settings'
import type { RateLimitSettings } from '../http/rate-limits'

const { isOn: _, ...defaults } = loadSettings({}, { role: 'suite' }).rateLimits

export type Quotas = Partial<Record<keyof typeof defaults, number>>

/** Limits with the quotas of some; all others are out of the way. */
export function quotas(some: Quotas): RateLimitSettings {
  const limit = <Key extends keyof typeof defaults>(key: Key) => ({
    ...defaults[key],
    quota: some[key] ?? 1_000_000,
  })
  return {
    isOn: true,
    logIn: limit('logIn'),
    signIn: limit('signIn'),
    signUp: limit('signUp'),
    password: limit('password'),
    write: limit('write'),
    writeByAddress: limit('writeByAddress'),
    read: limit('read'),
    readByAddress: limit('readByAddress'),
  }
}
