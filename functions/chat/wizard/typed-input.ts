/** What people type, made fit to be kept. Lengths count code points, as people count characters. */
import { MAX_NAME_POINTS, MAX_TEXT_POINTS, type Problem } from './wizard-state.ts'

type Input = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: Problem }

/** One line, without what cannot be seen: a name goes into buttons, files and other people's chats. */
export function parseName(typed: string): Input {
  const value = typed
    .toWellFormed()
    .normalize('NFC')
    // Direction overrides and other invisible marks would let a name pose as other text; joiners of emoji stay.
    .replace(/[\p{Cc}\p{Cs}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u200b\u2028\u2029\ufeff]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()
  const length = [...value].length
  if (length === 0) return { ok: false, problem: { kind: 'name_empty' } }
  if (length > MAX_NAME_POINTS) return { ok: false, problem: { kind: 'name_too_long', length } }
  return { ok: true, value }
}

/** Several lines are fine; empty is allowed and means "nothing special". */
export function parseText(typed: string): Input {
  const value = typed.toWellFormed().replaceAll('\r\n', '\n').trim()
  const length = [...value].length
  if (length > MAX_TEXT_POINTS) {
    return { ok: false, problem: { kind: 'text_too_long', length, max: MAX_TEXT_POINTS } }
  }
  return { ok: true, value }
}
