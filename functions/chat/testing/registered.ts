/**
 * Every command and every kind of button there is, as the router itself registers them: tests that must miss none read them
 * here. Buttons of delivery are added, which no router knows.
 */
import { buildRouter } from '../router.ts'
import { createRouter } from '../routing/baal-context.ts'
import * as turnButtons from '../turn-buttons.ts'

export interface Registered {
  readonly commands: readonly string[]
  /** What their data begins with (`l:pause:`), or all of it (`rich:auto`). */
  readonly buttons: readonly string[]
}

export function registered(): Registered {
  const commands = new Set<string>()
  const buttons = new Set<string>()
  const router = createRouter()
  const { command, callbackQuery } = router
  router.command = (trigger, ...handlers) => {
    for (const each of [trigger].flat()) commands.add(String(each))
    return command.call(router, trigger, ...handlers) as never
  }
  router.callbackQuery = (trigger, ...handlers) => {
    for (const each of [trigger].flat()) for (const kind of kindsOf(each)) buttons.add(kind)
    return callbackQuery.call(router, trigger, ...handlers) as never
  }
  buildRouter(router)
  for (const { pattern } of Object.values(turnButtons)) for (const kind of kindsOf(pattern)) buttons.add(kind)
  return { commands: [...commands], buttons: [...buttons] }
}

/** A button that does what a typed command does: `c:list`, and `a:export:<agent>` where somebody is asked which agent. */
export function standsForCommand(kind: string, { commands }: Pick<Registered, 'commands'>): boolean {
  return commands.some((command) => kind === `c:${command}` || kind === `a:${command}:`)
}

/** @returns the kind that the data of a button is of */
export function kindOf(data: string, { buttons }: Pick<Registered, 'buttons'>): string | undefined {
  const fitting = buttons.filter((kind) => kind === data || (kind.endsWith(':') && data.startsWith(kind)))
  return fitting.toSorted((a, b) => b.length - a.length)[0]
}

/** The literal beginnings of a pattern; `(pause|resume)` counts as each of its words. */
export function kindsOf(trigger: string | RegExp): string[] {
  if (typeof trigger === 'string') return [trigger]
  const source = trigger.source.replace(/^\^/, '').replace(/\$$/, '')
  const [, literal = '', words, rest = ''] = /^([\w:!]*)(?:\(([a-z]+(?:\|[a-z]+)+)\))?(.*)$/.exec(source) ?? []
  const begun = words === undefined ? [literal] : words.split('|').map((word) => `${literal}${word}`)
  return words !== undefined && rest.startsWith(':') ? begun.map((kind) => `${kind}:`) : begun
}
