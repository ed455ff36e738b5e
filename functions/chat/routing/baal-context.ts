/**
 * grammY's context for handlers that decide and never call: it routes (commands, buttons, deep links), carries the ports and
 * the handling under construction, and its API is closed, so that a direct call fails loudly instead of escaping the outbox.
 */
import { Api, Composer, Context } from 'grammy'
import type { Update } from 'grammy/types'
import type { User } from '../../database/users.ts'
import { type Language, languageOf, wordsFor } from '../catalogue/catalogue.ts'
import type { Catalogue } from '../catalogue/english.ts'
import type { HandlerPorts } from '../handling.ts'
import type { Reply } from './reply.ts'

export class DirectTelegramCall extends Error {
  readonly code = 'direct_telegram_call'

  constructor(method: string) {
    super(`${method} was called by a handler: return an Outgoing instead`)
  }
}

export class BaalContext extends Context {
  readonly ports: HandlerPorts
  readonly out: Reply
  readonly user: User
  readonly language: Language
  readonly words: Catalogue

  constructor(update: Update, { ports, out, user }: { ports: HandlerPorts; out: Reply; user: User }) {
    super(update, closedApi(), ports.bot)
    this.ports = ports
    this.out = out
    this.user = user
    this.language = languageOf(user)
    this.words = wordsFor(this.language)
  }

  get inGroup(): boolean {
    return this.ports.chat.kind === 'group'
  }
}

export type Router = Composer<BaalContext>

export function createRouter(): Router {
  return new Composer<BaalContext>()
}

function closedApi(): Api {
  const api = new Api('0:closed')
  api.config.use((_previous, method) => {
    throw new DirectTelegramCall(method)
  })
  return api
}
