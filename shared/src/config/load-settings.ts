import { OperatorError } from '../errors/operator-error'
import type { Environment } from './environment'
import { SettingProblem } from './parsers'
import { readText } from './pem-file'
import { combineSettings, type Settings } from './program-settings'
import {
  isSetting,
  type Role,
  SETTINGS,
  type Setting,
  type SettingTree,
  secretFileSetting,
  type Values,
} from './settings'

/**
 * Reads what `role` needs, secrets also from files; the settings it does not read have their defaults, whatever the environment
 * says. An empty variable counts as unset. Throws an `OperatorError` of exit code 2 whose one line
 * names the first variable that is wrong or missing, and never shows a secret.
 */
export function loadSettings(env: Environment, { role }: { readonly role: Role }): Settings {
  try {
    return deepFreeze(combineSettings(readTree(SETTINGS, env, role), role))
  } catch (error) {
    throw error instanceof SettingProblem ? new OperatorError(error.message, 2) : error
  }
}

function readTree<Tree extends SettingTree>(
  tree: Tree,
  env: Environment,
  role: Role,
): Values<Tree> {
  const entries = Object.entries(tree).map(([key, node]) => [
    key,
    isSetting(node) ? readSetting(node, env, role) : readTree(node, env, role),
  ])
  // `fromEntries` forgets which key has which value.
  return Object.fromEntries(entries) as Values<Tree>
}

function readSetting(setting: Setting, env: Environment, role: Role): unknown {
  const given = isRead(setting, role) ? givenText(setting, env) : undefined
  const text = (setting.secret ? given : given?.trim()) || defaultFor(setting, role)
  if (text === null) return null
  try {
    return setting.parse(text)
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    const found = setting.secret ? '' : ` is ${JSON.stringify(text.slice(0, 100))}`
    throw new SettingProblem(`${setting.name}${found}: ${error.message}`)
  }
}

/** A secret stands in its variable, or in the file that the variable with `_FILE` behind its name names. */
function givenText({ name, secret }: Setting, env: Environment): string | undefined {
  const text = env[name]
  const fileSetting = secretFileSetting(name)
  const path = secret ? env[fileSetting]?.trim() : undefined
  if (!path) return text
  if (text) {
    throw new SettingProblem(`${fileSetting} and ${name} are both set: expected one of them`)
  }
  try {
    // An editor, or `echo`, ends the line.
    const secret = readText(path).replace(/\r?\n$/, '')
    if (secret !== '') return secret
    throw new SettingProblem(`expected the secret in the file; ${path} is empty`)
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    throw new SettingProblem(`${fileSetting}: ${error.message}`)
  }
}

function isRead({ readBy }: Setting, role: Role): boolean {
  if (readBy === 'all') return true
  if (role === 'import' || role === 'backup') return false
  return role === 'suite' ? readBy.some((reader) => reader !== 'migrate') : readBy.includes(role)
}

function defaultFor(setting: Setting, role: Role): string | null {
  const { default: preset } = setting
  if (preset === null || typeof preset === 'string') return preset
  return preset[role] ?? preset.others
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}
