/** OpenSSL's names for what is wrong with a certificate, and the runtime's for a name that it does not hold. */
const CODES =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|INVALID_CA|HOSTNAME_MISMATCH|ERR_SSL_\w+)$/

/** Why the certificate of a server is not accepted, however deep the driver has put it; null: something else is wrong. */
export function explainCertificateError(error: unknown): string | null {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string' && CODES.test(each.code)) {
      // The runtime's fetch has no words for it.
      return each.message.startsWith('ERR_TLS_CERT_ALTNAME_INVALID')
        ? 'it is of another host'
        : each.message.replace(/\s+/g, ' ')
    }
    if (
      /self.signed certificate|unable to (verify|get).*certificate|certificate (has expired|is not yet valid)|altnames/i.test(
        each.message,
      )
    ) {
      return each.message.replace(/\s+/g, ' ')
    }
  }
  return null
}
