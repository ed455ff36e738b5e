/**
 * /files: the agent's workspace, to walk through and to fetch from. A path does not fit into a button, so buttons carry a
 * place in the list that was shown last.
 */
import { z } from 'zod'
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { clip, fmt, type Phrase } from '../catalogue/format.ts'
import type { AgentControl } from '../handling.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

const KEY = 'files'
/** A keyboard that still can be scrolled with a thumb. */
const SHOWN_ENTRIES = 30
const SHOWN_NAME_POINTS = 30

const Listing = z.object({
  id: z.string(),
  agentId: z.string(),
  dir: z.string(),
  entries: z.array(z.object({ name: z.string(), kind: z.enum(['file', 'dir']) })),
})
type Listing = z.infer<typeof Listing>

export function registerFiles(router: Router): void {
  onAgentCommand(router, 'files', (ctx, agent, argument) => showFolder(ctx, agent, argument), { takesArgument: true })
  router.callbackQuery(/^f:([a-z0-9]{1,16}):(\d{1,3}|up)$/, async (ctx) => {
    const { ports, user, words, out } = ctx
    const [, id = '', place = ''] = ctx.match
    const listing = ports.store.get(KEY, Listing)
    const agent = listing && (await findOwnAgent(ports.database, listing.agentId, user.id))
    if (!listing || !agent) return out.toast(words.toasts.outdated)
    if (listing.id !== id) {
      out.toast(words.files.moved)
      return showFolder(ctx, agent, listing.dir)
    }
    return openEntry(ctx, agent, listing, place)
  })
}

async function openEntry(ctx: BaalContext, agent: Agent, listing: Listing, place: string): Promise<void> {
  const { words, out } = ctx
  if (place === 'up') return showFolder(ctx, agent, listing.dir.split('/').slice(0, -1).join('/'))
  const entry = listing.entries[Number(place)]
  if (!entry) return out.toast(words.toasts.outdated)
  const path = listing.dir ? `${listing.dir}/${entry.name}` : entry.name
  if (entry.kind === 'dir') return showFolder(ctx, agent, path)
  out.toast(words.files.sending)
  out.add({ kind: 'agent_file', agentId: agent.id, from: { path }, name: entry.name })
}

/** @param typed a folder or a file inside the workspace; the agent's own server refuses what lies outside of it */
async function showFolder(ctx: BaalContext, agent: Agent, typed: string): Promise<void> {
  const { ports, words, out } = ctx
  const dir = typed.replace(/^\/+|\/+$/g, '')
  const control = await ports.agent(agent.id)
  if (await isFile(control, dir)) {
    return out.add({ kind: 'agent_file', agentId: agent.id, from: { path: dir }, name: dir.split('/').at(-1) ?? dir })
  }
  const all = await control.listFiles(dir)
  const entries = all
    .toSorted((a, b) => (a.kind === b.kind ? a.name.localeCompare(b.name) : a.kind === 'dir' ? -1 : 1))
    .slice(0, SHOWN_ENTRIES)
    .map(({ name, kind, bytes }) => ({ name, kind, bytes }))
  const id = ports.ids('files').slice(0, 8)
  ports.store.put(KEY, { id, agentId: agent.id, dir, entries: entries.map(({ name, kind }) => ({ name, kind })) })
  const title: Phrase = words.files.title({ agent: agent.name, folder: clip(dir, 200) })
  const rest = all.length - entries.length
  const note = all.length === 0 ? words.files.empty : rest > 0 ? words.files.more({ count: rest }) : ''
  out.show(note ? fmt`${title}\n\n${note}` : title, [
    ...entries.map(({ name, kind, bytes }, index) => [
      button(
        kind === 'dir' ? `📁 ${clip(name, SHOWN_NAME_POINTS)}` : `📄 ${clip(name, SHOWN_NAME_POINTS)} · ${size(bytes)}`,
        `f:${id}:${index}`,
      ),
    ]),
    [dir ? button(words.buttons.up, `f:${id}:up`) : agentButton(words.buttons.back, 'card', agent.id)],
  ])
}

/** A typed path may name a file: then it is wanted itself. */
async function isFile(control: AgentControl, path: string): Promise<boolean> {
  if (path === '') return false
  const name = path.split('/').at(-1)
  const siblings = await control.listFiles(path.split('/').slice(0, -1).join('/'))
  return siblings.some((entry) => entry.name === name && entry.kind === 'file')
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
