import { oneOf, SettingProblem } from './parsers'
import { certificateFile, type PemFile, privateKeyFile } from './pem-file'

/** How a connection to MySQL is encrypted. */
export interface MysqlTls {
  /**
   * `required`: whoever answers; `verify_ca`: a server with a certificate of the authority; `verify_identity`:
   * whose certificate also names the host that was asked for.
   */
  readonly mode: 'required' | 'verify_ca' | 'verify_identity'
  /** The authority; null: those that the system trusts. */
  readonly ca: PemFile | null
  /** What this side shows, where the server asks for it. */
  readonly client: { readonly cert: PemFile; readonly key: PemFile } | null
}

const MODES = ['disabled', 'required', 'verify_ca', 'verify_identity'] as const
const NAMES = ['ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key'] as const
type Name = (typeof NAMES)[number]

export function isTlsParameter(name: string): boolean {
  return NAMES.some((each) => each === name)
}

/**
 * What the parameters of a MySQL URL say, by the names that MySQL's own programs have for them; null: not
 * encrypted. An authority that is named is always checked, as is the key with the certificate.
 */
export function mysqlTls(parameters: URLSearchParams): MysqlTls | null {
  const { mode, ca, cert, key } = {
    mode: given(parameters, 'ssl-mode', modeOf),
    ca: given(parameters, 'ssl-ca', certificateFile),
    cert: given(parameters, 'ssl-cert', certificateFile),
    key: given(parameters, 'ssl-key', privateKeyFile),
  }
  if ((cert === null) !== (key === null)) {
    throw new SettingProblem('ssl-cert and ssl-key: expected both or neither')
  }
  if (mode === 'disabled' || (mode === null && !ca && !cert)) {
    if (ca || cert) {
      throw new SettingProblem(
        'ssl-mode=disabled encrypts nothing: expected another mode, or no ssl-ca, ssl-cert and ssl-key',
      )
    }
    return null
  }
  return {
    mode: mode === 'verify_identity' ? mode : mode === 'verify_ca' || ca ? 'verify_ca' : 'required',
    ca,
    client: cert && key && { cert, key },
  }
}

function modeOf(text: string): (typeof MODES)[number] {
  const word = text.replaceAll('-', '_')
  if (word.toLowerCase() === 'preferred') {
    throw new SettingProblem(
      'preferred would fall back to no encryption unnoticed: expected required, verify_ca, verify_identity or disabled',
    )
  }
  return oneOf(MODES)(word)
}

function given<Value>(
  parameters: URLSearchParams,
  name: Name,
  parse: (text: string) => Value,
): Value | null {
  const [text, ...more] = parameters.getAll(name)
  if (text === undefined) return null
  try {
    if (more.length > 0) throw new SettingProblem('expected once')
    return parse(text)
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    throw new SettingProblem(`${name}: ${error.message}`)
  }
}
