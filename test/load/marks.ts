/** Every question has a mark of its own, and the end of its answer too: what came, and how often, can be counted. */
const MARK = /\bq(\d+)n(\d+)z\b/

export function markOf(chat: number, number: number): string {
  return `q${chat}n${number}z`
}

export function endMark(mark: string): string {
  return `end-${mark}`
}

/** @returns the last one in the text: older ones may be quoted before it */
export function markIn(text: string): string | undefined {
  return text.match(new RegExp(MARK, 'g'))?.at(-1)
}

export function numberOf(mark: string): number {
  return Number(MARK.exec(mark)?.[2] ?? 0)
}
