/**
 * How an instance is named in its public message. What one account pays for may belong to several installations, as when somebody
 * tries Baal out with the keys of production: each knows its own by a mark, made of what no two of them share, their bot.
 */
import { botIdOf } from '../bot-id.ts'
import type { Config } from '../config.ts'

const MARK_DIGITS = 8
const MARKED = /^baal-([0-9a-f]{8})\./
/** Alone, without a mark behind it, of instances that were ordered before there were marks. */
const PREFIX = 'baal-'

type Bot = Pick<Config, 'TELEGRAM_BOT_TOKEN'>

export async function instanceName(config: Bot, machineId: string): Promise<string> {
  return `${PREFIX}${await markOf(config)}.${machineId}`
}

/** @returns whether an instance of that name was ordered by this installation, or by one from before there were marks */
export async function ownNames(config: Bot): Promise<(name: string) => boolean> {
  const own = await markOf(config)
  return (name) => name.startsWith(PREFIX) && (MARKED.exec(name)?.[1] ?? own) === own
}

async function markOf({ TELEGRAM_BOT_TOKEN }: Bot): Promise<string> {
  const bytes = new TextEncoder().encode(`baal ${botIdOf(TELEGRAM_BOT_TOKEN)}`)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...hash]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, MARK_DIGITS)
}
