/** A table as a phone can show it: aligned columns where they fit its width, otherwise one card a row. */
import type { Tokens } from 'marked'
import { displayWidth } from './display-width.ts'
import { inlineText, renderInline } from './render-inline.ts'
import type { TextBuilder } from './text-builder.ts'

/** Columns of fixed-width type that phones show without wrapping. */
const MAX_COLUMNS = 34
const BETWEEN = ' │ '

export function renderTable(table: Tokens.Table, builder: TextBuilder): void {
  const cells = [table.header, ...table.rows].map((row) => row.map(cellText))
  const widths = table.header.map((_, column) => Math.max(1, ...cells.map((row) => displayWidth(row[column] ?? ''))))
  const total = widths.reduce((sum, width) => sum + width, 0) + BETWEEN.length * (widths.length - 1)
  const isPlain = cells.every((row) => row.every((cell) => !cell.includes('\n')))
  if (isPlain && total <= MAX_COLUMNS) builder.pre(alignedText(cells, widths, table.align), '')
  else renderCards(table, builder)
}

function alignedText(cells: readonly string[][], widths: readonly number[], align: Tokens.Table['align']): string {
  const lines = cells.map((row) =>
    widths
      .map((width, column) => pad(row[column] ?? '', width, align[column]))
      .join(BETWEEN)
      .trimEnd(),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('─┼─')
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function pad(cell: string, width: number, align: Tokens.Table['align'][number] | undefined): string {
  const missing = Math.max(0, width - displayWidth(cell))
  if (align === 'right') return ' '.repeat(missing) + cell
  if (align === 'center') return ' '.repeat(Math.floor(missing / 2)) + cell + ' '.repeat(Math.ceil(missing / 2))
  return cell + ' '.repeat(missing)
}

/** The first cell names the card, as the first column mostly names the row. */
function renderCards({ header, rows }: Tokens.Table, builder: TextBuilder): void {
  if (rows.length === 0) builder.styled('bold', () => builder.add(header.map(cellText).join(' · ')))
  for (const row of rows) {
    builder.separate(2)
    row.forEach((cell, column) => {
      if (cellText(cell) === '') return
      builder.separate(1)
      if (column === 0) {
        builder.styled('bold', () => renderInline(cell.tokens, builder))
        return
      }
      const label = header[column] ? cellText(header[column]).replace(/:$/, '') : ''
      if (label !== '') builder.add(`${label.replaceAll('\n', ' ')}: `)
      renderInline(cell.tokens, builder)
    })
  }
}

function cellText({ tokens }: Tokens.TableCell): string {
  return inlineText(tokens).trim()
}
