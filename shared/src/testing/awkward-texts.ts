/** Texts that encodings, collations and escaping have broken before. */
export const awkwardTexts: Readonly<Record<string, string>> = {
  'as many four-byte emoji as fit': '👩‍🚀'.repeat(400) + '🎉'.repeat(800),
  'right to left with marks': 'שָׁלוֹם \u200fمرحبا بالعالم\u200e ok',
  'trailing and inner blanks': 'a  b\t\nc   ',
  'letters that collations confuse': 'ß ss É é e\u0301 ﬁ K K',
  'what SQL and JSON care about': `'; drop table posts; -- \\ " \\' % _ \${x} ? :id`,
  hangul: '안녕하세요 \u1112\u1161\u11ab글',
}

/** Combining marks that stand in the wrong order: the costliest text there is to normalise. */
export function disorderedMarks(bytes: number): string {
  return '\u0315\u0316'.repeat(bytes / 4)
}
