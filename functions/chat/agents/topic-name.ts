/**
 * A topic that a person opened by just writing has a name that says nothing ("New Chat"): it gets one from the first words
 * that are said in it.
 */
import { z } from 'zod'
import { clip } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'

const KEY = 'topic:unnamed'
/** Telegram takes 128; a list of chats shows less. */
const MAX_NAME_POINTS = 40

export function registerTopicName(router: Router): void {
  router.on('message:forum_topic_created', (ctx, next) => {
    if (!ctx.message.forum_topic_created.is_name_implicit || ctx.inGroup) return next()
    ctx.ports.store.put(KEY, true)
  })
}

/** Once, with the first words. */
export function nameTopic({ ports, out }: BaalContext, words: string): void {
  if (!ports.store.get(KEY, z.boolean())) return
  const name = clip(words.replace(/\s+/g, ' ').trim(), MAX_NAME_POINTS)
  if (name === '') return
  ports.store.delete(KEY)
  out.add({ kind: 'name_topic', name })
}
