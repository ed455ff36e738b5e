/** The id of a turn is made from the update that asked for it: handled again, it is the same turn. */
const PATTERN = /^u-\d+-(\d+)$/

export function turnIdOf(botId: number, updateId: number): string {
  return `u-${botId}-${updateId}`
}

/** @returns `undefined` for turns that no update asked for, as the introduction after a deployment */
export function updateIdOf(turnId: string): number | undefined {
  const match = PATTERN.exec(turnId)
  return match ? Number(match[1]) : undefined
}
