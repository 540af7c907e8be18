/** Up to so many digits before the point, or zeros behind it, MySQL writes no exponent. */
const MOST_PLACES = 15

/**
 * A double in a JSON as MySQL writes it. The digits are the shortest that read as the same number, as in JavaScript;
 * where the exponent begins is MySQL's own. Source: MySQL 9 source, `my_gcvt`.
 */
export function jsonDouble(value: number): string {
  const [mantissa = '', power = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  /** Where the point stands in the digits. */
  const point = Number(power) + 1
  return sign + (value === 0 ? '0.0' : placed(digits, point))
}

function placed(digits: string, point: number): string {
  const isShort = point > -MOST_PLACES && (point <= MOST_PLACES || digits.length > point)
  if (!isShort) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${digits[0]}${rest}e${point - 1}`
  }
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`
  if (digits.length > point) return `${digits.slice(0, point)}.${digits.slice(point)}`
  return `${digits}${'0'.repeat(point - digits.length)}.0`
}
