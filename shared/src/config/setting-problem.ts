/** Why a value is not one that its setting takes, and what it takes; never quotes a secret. */
export class SettingProblem extends Error {
  override readonly name = 'SettingProblem'
}
