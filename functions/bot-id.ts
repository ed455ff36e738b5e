/** The digits before the colon of a bot token are the bot's user id. */
export function botIdOf(token: string): number {
  return Number(token.slice(0, token.indexOf(':')))
}
