/** The words of a rich message that comes in, forwarded or answered: also of kinds of blocks that are new to us. */
import { z } from 'zod'

const MAX_DEPTH = 40

const Node = z.record(z.string(), z.unknown())

export function richWords(message: unknown): string {
  return blockWords(message, 0)
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function blockWords(block: unknown, depth: number): string {
  const node = Node.safeParse(block).data
  if (!node || depth > MAX_DEPTH) return ''
  const own = inlineWords([node.summary, node.text, node.expression], depth)
  const nested = [node.blocks, node.items].flatMap((list) => (Array.isArray(list) ? list : []))
  const rows = Array.isArray(node.cells) ? node.cells.map((row) => rowWords(row, depth)) : []
  const lines = [own, ...nested.map((inner) => blockWords(inner, depth + 1)), ...rows].filter((line) => line !== '')
  const label = typeof node.label === 'string' ? `${node.label} ` : ''
  return label + lines.join('\n')
}

function rowWords(row: unknown, depth: number): string {
  return Array.isArray(row) ? row.map((cell) => inlineWords(cell, depth + 1)).join(' | ') : ''
}

function inlineWords(text: unknown, depth: number): string {
  if (typeof text === 'string') return text
  if (depth > MAX_DEPTH) return ''
  if (Array.isArray(text)) return text.map((part) => inlineWords(part, depth + 1)).join('')
  const node = Node.safeParse(text).data
  return node ? inlineWords([node.text, node.expression, node.alternative_text], depth + 1) : ''
}
