/** Tabs in code stand this far apart; a phone is narrow. */
const TAB_COLUMNS = 4

/** Telegram makes one space of a tab: code would lose its indentation. */
export function expandTabs(code: string): string {
  if (!code.includes('\t')) return code
  return code.split('\n').map(expandLine).join('\n')
}

function expandLine(line: string): string {
  let expanded = ''
  for (const [index, stretch] of line.split('\t').entries()) {
    if (index > 0) expanded += ' '.repeat(TAB_COLUMNS - (expanded.length % TAB_COLUMNS))
    expanded += stretch
  }
  return expanded
}
