/** `&amp;` and its kin as the characters they stand for: numbers, and the names that people and models use. */

const NAMES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  copy: '©',
  reg: '®',
  trade: '™',
  deg: '°',
  times: '×',
  middot: '·',
  bull: '•',
  laquo: '«',
  raquo: '»',
  larr: '←',
  uarr: '↑',
  rarr: '→',
  darr: '↓',
  harr: '↔',
  le: '≤',
  ge: '≥',
  ne: '≠',
  euro: '€',
  pound: '£',
  yen: '¥',
  sect: '§',
  para: '¶',
  check: '✓',
}

export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMES[String(name)] ?? whole
    return character(decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal))
  })
}

/** As HTML has it: what is no character becomes U+FFFD; controls and turners of direction are left out. */
function character(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  if (code === 9 || code === 10) return String.fromCodePoint(code)
  const isHidden =
    code < 32 || (code >= 127 && code < 160) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
  return isHidden ? '' : String.fromCodePoint(code)
}
