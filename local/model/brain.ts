/**
 * The scripted brain: understands plain requests well enough to use each tool, and says that it is no real model. It looks
 * only at the request, like any model, so it has no state of its own.
 */
import { type OfferedTool, type RequestMessage, textOf } from './chat-request.ts'
import { INTRODUCTION_NOTE, LONG_ANSWER, SMALL_TALK } from './phrases.ts'

export interface BrainReply {
  readonly text: string
  readonly toolCalls: readonly { readonly name: string; readonly input: Record<string, unknown> }[]
}

const NOTHING_TO_SAY = 'HEARTBEAT_OK'

interface Situation {
  /** What the person last asked, without what the agent server added around it. */
  readonly request: string
  /** Results of the tools called since then, in order. */
  readonly results: readonly { readonly name: string; readonly content: string }[]
  readonly agentName: string
  readonly system: string
  readonly isFirst: boolean
  readonly tools: readonly OfferedTool[]
}

export function think(messages: readonly RequestMessage[], tools: readonly OfferedTool[]): BrainReply {
  const situation = understand(messages, tools)
  for (const skill of SKILLS) {
    const reply = skill(situation)
    if (reply) return withNote(reply, situation)
  }
  return withNote(say(smallTalk(situation)), situation)
}

/** Asked to, it refuses as a real server may refuse a request. */
export function refuses(messages: readonly RequestMessage[]): boolean {
  return /^refuse to answer\b/i.test(understand(messages, []).request)
}

type Skill = (situation: Situation) => BrainReply | undefined

/** The first that knows what to do answers. Each handles both its request and what came back from its tools. */
const SKILLS: readonly Skill[] = [
  summarize,
  introduce,
  deliverReminder,
  stayQuiet,
  rememberFact,
  recallFact,
  writeThenSend,
  runCommand,
  readFile,
  listFiles,
  searchFiles,
  searchHistory,
  searchWeb,
  fetchPage,
  remindMe,
  startHelper,
  writeLong,
]

/** Compaction asks for a summary of what is about to be left out: the end of it has to do. */
function summarize({ system, request }: Situation): BrainReply | undefined {
  if (!/working memory of an assistant/i.test(system)) return undefined
  const conversation = /<conversation>([\s\S]*)<\/conversation>/.exec(request)?.[1] ?? request
  return say(`## Done\n${conversation.trim().slice(-2000)}`.toWellFormed())
}

/** A schedule of `remindMe` is due. */
function deliverReminder({ request }: Situation): BrainReply | undefined {
  const what = /^Remind the person: (.+)$/im.exec(request)?.[1]
  return what ? say(`⏰ You asked me to remind you: **${what}**`) : undefined
}

/** Woken with nothing that a script could do, or asked only to store what it has stored already. */
function stayQuiet({ system, request }: Situation): BrainReply | undefined {
  if (/You woke up by yourself/.test(system) || request.includes('HEARTBEAT_OK')) return say(NOTHING_TO_SAY)
  return request === '' ? say('OK') : undefined
}

function introduce({ request, agentName }: Situation): BrainReply | undefined {
  if (!/\bintroduce yourself\b|^(who|what) are you\b/i.test(request)) return undefined
  return say(
    `Hi, I'm **${agentName}**. I have a small computer of my own: I can run commands, keep files, read web pages, ` +
      'remember what you tell me, and remind you of things.\n\nTry one of these:\n\n' +
      '- run `git --version`\n- write notes.txt with three ideas for dinner, then send it to me\n' +
      '- remember that my dog is called Rex',
  )
}

function rememberFact({ request, results, tools }: Situation): BrainReply | undefined {
  const fact = /\b(?:remember|note|don't forget)(?: that)?:? (.+)/is.exec(request)?.[1]?.trim().replace(/[.!]$/, '')
  if (!fact || /\?$/.test(request)) return undefined
  const [read, written] = results
  if (written) return say(isWritten(written.content) ? `Noted: ${fact}.` : refused(written.content))
  if (!read) return call(tools, 'read_file', { path: 'memory/MEMORY.md' })
  const known = linesRead(read.content)
  const memory = known === '' ? '# Memory\n' : `${known}\n`
  return call(tools, 'write_file', { path: 'memory/MEMORY.md', content: `${memory}- ${fact}\n` })
}

function recallFact({ request, results, tools }: Situation): BrainReply | undefined {
  if (!/\b(what|who|when|where|do you|how)\b.*\b(remember|know about me|my \w+)\b/is.test(request)) return undefined
  const [read] = results
  if (!read) return call(tools, 'read_file', { path: 'memory/MEMORY.md' })
  const topic = /\bmy (\w+)/i.exec(request)?.[1]?.toLowerCase()
  const facts = linesRead(read.content)
    .split('\n')
    .filter((line) => line.startsWith('- '))
  const match = topic ? facts.filter((line) => line.toLowerCase().includes(topic)) : facts
  return say(
    match.length > 0 ? `You told me:\n\n${match.join('\n')}` : "I have no note about that. Tell me and I'll remember.",
  )
}

function writeThenSend({ request, results, tools }: Situation): BrainReply | undefined {
  const wanted =
    /\b(?:write|create|make|save)\b(?: a)?(?: file)?(?: called| named)? [`"']?([\w./-]+\.\w{1,8})[`"']?(?: with|:| containing| that says)?\s*(.*)/is.exec(
      request,
    )
  const sendOnly = /\bsend(?: me)?(?: the)?(?: file)? [`"']?([\w./-]+\.\w{1,8})/i.exec(request)
  const path = wanted?.[1] ?? sendOnly?.[1]
  if (!path) return undefined
  const sends = /\bsend\b/i.test(request)
  const written = results.find(({ name }) => name === 'write_file')
  if (written && !isWritten(written.content)) return say(refused(written.content))
  if (wanted && !written) {
    const content = (wanted[2] ?? '').replace(/[,.]?\s*(and|then|,)?\s*(then )?send (it|me).*$/is, '').trim()
    return call(tools, 'write_file', { path, content: `${content || 'Written on request.'}\n` })
  }
  const sent = results.find(({ name }) => name === 'send_file')
  if (sends && !sent) return call(tools, 'send_file', { path, caption: path })
  if (sent && !/goes to the person|sent/i.test(sent.content)) return say(refused(sent.content))
  return say(sends ? `Here is \`${path}\`.` : `Wrote \`${path}\`.`)
}

function runCommand({ request, results, tools }: Situation): BrainReply | undefined {
  const command = /\b(?:run|execute)\b:?\s+(?:```\w*\n?([\s\S]+?)```|`([^`]+)`|(.+))/is.exec(request)
  const text = (command?.[1] ?? command?.[2] ?? command?.[3])?.trim()
  if (!text) return undefined
  const [result] = results
  if (!result) return call(tools, 'bash', { command: text })
  return say(`\`${text}\` printed:\n\n${fenced(result.content)}`)
}

function readFile({ request, results, tools }: Situation): BrainReply | undefined {
  const path = /\b(?:read|show|open|cat)\b(?: me)?(?: the)?(?: file)? [`"']?([\w./-]+\.\w{1,8})/i.exec(request)?.[1]
  if (!path) return undefined
  const [result] = results
  if (!result) return call(tools, 'read_file', { path })
  const lines = linesRead(result.content)
  return say(lines === '' ? refused(result.content) : `\`${path}\`:\n\n${fenced(lines)}`)
}

function listFiles({ request, results, tools }: Situation): BrainReply | undefined {
  if (!/\b(list|show)\b.*\bfiles\b|\bwhat files\b/i.test(request)) return undefined
  const [result] = results
  return result ? say(`My files:\n\n${fenced(result.content)}`) : call(tools, 'list_dir', { path: '.' })
}

function searchFiles({ request, results, tools }: Situation): BrainReply | undefined {
  const pattern = /\b(?:search|find|grep)\b (?:my |the )?files for [`"']?(.+?)[`"']?$/i.exec(request)?.[1]
  if (!pattern) return undefined
  const [result] = results
  return result ? say(`Found:\n\n${fenced(result.content)}`) : call(tools, 'search_files', { pattern })
}

function searchHistory({ request, results, tools }: Situation): BrainReply | undefined {
  const query = /\bwhat did (?:i|we) (?:say|talk) about (.+?)\??$/i.exec(request)?.[1]
  if (!query) return undefined
  const [result] = results
  return result ? say(`From our history:\n\n${result.content}`) : call(tools, 'search_history', { query })
}

function searchWeb({ request, results, tools }: Situation): BrainReply | undefined {
  const query = /\bsearch (?:the web |online )?for (.+)/i.exec(request)?.[1]
  if (!query) return undefined
  const [result] = results
  return result ? say(`I found:\n\n${result.content}`) : call(tools, 'web_search', { query })
}

function fetchPage({ request, results, tools }: Situation): BrainReply | undefined {
  const url = /\b(?:fetch|open|read|summari[sz]e)\b.*?(https?:\/\/\S+)/i.exec(request)?.[1]
  if (!url) return undefined
  const [result] = results
  return result
    ? say(`This is what I read there:\n\n${result.content.slice(0, 1500)}`)
    : call(tools, 'web_fetch', { url })
}

function remindMe({ request, results, tools }: Situation): BrainReply | undefined {
  const wanted =
    /\bremind me(?: to| of| about)? (.+?) in (\d+) (second|minute|hour)s?/i.exec(request) ??
    /\bremind me in (\d+) (second|minute|hour)s?(?: to| of| about)? (.+)/i.exec(request)
  if (!wanted) return undefined
  const [result] = results
  if (result) return say(/is set/.test(result.content) ? `Done. ${result.content}` : refused(result.content))
  const [what, amount, unit] = /^\d+$/.test(wanted[1] ?? '')
    ? [wanted[3], wanted[1], wanted[2]]
    : [wanted[1], wanted[2], wanted[3]]
  const minutes = Number(amount) * ({ second: 1 / 60, hour: 60 }[unit?.toLowerCase() ?? ''] ?? 1)
  const prompt = `Remind the person: ${what?.trim().replace(/[.!]$/, '')}`
  return call(tools, 'schedule', { action: 'create', prompt, in_minutes: Math.max(0.1, minutes) })
}

function startHelper({ request, results, tools }: Situation): BrainReply | undefined {
  const task = /\b(?:in the background|spawn(?: a helper)?(?: to)?)[:,]?\s*(.+)/is.exec(request)?.[1]
  if (!task) return undefined
  const [result] = results
  return result
    ? say("I've started on it in the background and will tell you when it is done.")
    : call(tools, 'spawn', { task })
}

function writeLong({ request }: Situation): BrainReply | undefined {
  return /\b(long|story|essay|article)\b/i.test(request) ? say(LONG_ANSWER) : undefined
}

function smallTalk({ request, agentName }: Situation): string {
  const index = [...request].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % SMALL_TALK.length
  const answer = SMALL_TALK[index] ?? ''
  return answer.replaceAll('{name}', agentName).replaceAll('{request}', request.slice(0, 200))
}

function understand(messages: readonly RequestMessage[], tools: readonly OfferedTool[]): Situation {
  const lastUser = messages.findLastIndex(({ role }) => role === 'user')
  const asked = messages[lastUser]
  const names = new Map<string, string>()
  const results: { name: string; content: string }[] = []
  for (const message of messages.slice(lastUser + 1)) {
    if (message.role === 'assistant') for (const { id, function: f } of message.tool_calls ?? []) names.set(id, f.name)
    if (message.role === 'tool') results.push({ name: names.get(message.tool_call_id) ?? '', content: textOf(message) })
  }
  const system = messages[0]?.role === 'system' ? textOf(messages[0]) : ''
  return {
    request: asked ? requestIn(textOf(asked)) : '',
    results,
    agentName:
      /\b(?:you are|your name is|called) \**["“]?([^\n.,"”*]{1,64})/i.exec(system)?.[1]?.trim() ?? 'your agent',
    system,
    isFirst: !messages.some(({ role }) => role === 'assistant'),
    tools,
  }
}

/** The agent server puts facts (time, who speaks, files) into lines in brackets around what the person wrote. */
function requestIn(content: string): string {
  return content
    .split('\n')
    .filter((line) => !/^\[.*\]$|^<[^>]+>$/.test(line.trim()))
    .join('\n')
    .trim()
}

function withNote(reply: BrainReply, { isFirst, results }: Situation): BrainReply {
  // A beat with nothing to say stays silent only if it says nothing else.
  if (!isFirst || results.length > 0 || reply.text === NOTHING_TO_SAY) return reply
  return { ...reply, text: reply.text ? `${INTRODUCTION_NOTE}\n\n${reply.text}` : INTRODUCTION_NOTE }
}

function say(text: string): BrainReply {
  return { text, toolCalls: [] }
}

/** Tools that are not offered in this session are not called: the person is told so. */
function call(tools: readonly OfferedTool[], name: string, input: Record<string, unknown>): BrainReply {
  const tool = tools.find((offered) => offered.function.name === name)
  return tool
    ? { text: '', toolCalls: [{ name, input }] }
    : say(`I would use \`${name}\` for this, but I don't have it here.`)
}

function refused(reason: string): string {
  return `That did not work: ${reason.split('\n')[0]}`
}

/** `read_file` numbers its lines; what has no number is not the file but a word about it. */
function linesRead(content: string): string {
  return [...content.matchAll(/^ *\d+\t(.*)$/gm)]
    .map(([, line]) => line)
    .join('\n')
    .trimEnd()
}

function isWritten(content: string): boolean {
  return /^(wrote|created|replaced|saved|overwrote|updated)/i.test(content)
}

function fenced(content: string): string {
  return `\`\`\`\`\n${content.trim()}\n\`\`\`\``
}
