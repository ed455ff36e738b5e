/**
 * Telegram's own text code: TDLib's synchronous functions, which need no account and no network. Where there is no binary
 * for the platform, `loadTdlib` says why and the caller goes on without.
 */
import { getTdjson } from 'prebuilt-tdlib'
import * as tdl from 'tdl'
import { z } from 'zod'

const Entity = z.object({
  offset: z.int(),
  length: z.int(),
  type: z.looseObject({ _: z.string() }),
})
export type TdEntity = z.infer<typeof Entity>

const FormattedText = z.object({ _: z.literal('formattedText'), text: z.string(), entities: z.array(Entity) })
const TextEntities = z.object({ _: z.literal('textEntities'), entities: z.array(Entity) })
const Failure = z.object({ _: z.literal('error'), message: z.string() })

export type TdText = { readonly text: string; readonly entities: readonly TdEntity[] }
export type TdResult = TdText | { readonly error: string }

export interface Tdlib {
  parseMarkup(text: string, mode: 'html' | 'markdown' | 'markdownv2'): TdResult
  /** Checks and puts right a text with entities, as every message is before it is sent. */
  fix(text: string, entities: readonly TdEntity[]): TdResult
  /** Links, mentions, commands, hashtags … that Telegram finds in a plain text. */
  detect(text: string): readonly TdEntity[]
}

/** The library lives once per process whatever is done: a second `configure` would be refused. */
let configured = false

export function loadTdlib(): Tdlib | { readonly unavailable: string } {
  try {
    if (!configured) tdl.configure({ tdjson: getTdjson(), verbosityLevel: 0 })
    configured = true
    execute({ _: 'getTextEntities', text: 'ready' })
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) }
  }
  return { parseMarkup, fix, detect }
}

function parseMarkup(text: string, mode: 'html' | 'markdown' | 'markdownv2'): TdResult {
  const parse_mode =
    mode === 'html' ? { _: 'textParseModeHTML' } : { _: 'textParseModeMarkdown', version: mode === 'markdown' ? 1 : 2 }
  return readResult(execute({ _: 'parseTextEntities', text, parse_mode }))
}

/** Characters that `parseMarkdown` would read as markup, and what stands for each while it looks only at the entities. */
const MARKUP = ['*', '_', '~', '`', '|', '[', ']'] as const
const PRIVATE_USE_START = 0xe000
const PRIVATE_USE_END = 0xf8ff

function fix(text: string, entities: readonly TdEntity[]): TdResult {
  const stands = standIns(text)
  const masked = text.replace(/[*_~`|[\]]/g, (character) => stands.get(character) ?? character)
  const result = readResult(
    execute({
      _: 'parseMarkdown',
      text: { _: 'formattedText', text: masked, entities: entities.map((entity) => ({ _: 'textEntity', ...entity })) },
    }),
  )
  if ('error' in result) return result
  const back = new Map([...stands].map(([character, stand]) => [stand, character]))
  return { ...result, text: result.text.replace(/[\ue000-\uf8ff]/g, (stand) => back.get(stand) ?? stand) }
}

/** Private-use characters that the text itself does not contain, each as long as what it stands for. */
function standIns(text: string): Map<string, string> {
  const stands = new Map<string, string>()
  let code = PRIVATE_USE_START
  for (const character of MARKUP) {
    while (code <= PRIVATE_USE_END && text.includes(String.fromCharCode(code))) code++
    if (code <= PRIVATE_USE_END) stands.set(character, String.fromCharCode(code++))
  }
  return stands
}

function detect(text: string): readonly TdEntity[] {
  return TextEntities.parse(execute({ _: 'getTextEntities', text })).entities
}

function execute(request: { _: string; [field: string]: unknown }): unknown {
  return tdl.execute(request as Parameters<typeof tdl.execute>[0])
}

function readResult(answer: unknown): TdResult {
  const failure = Failure.safeParse(answer)
  return failure.success ? { error: failure.data.message } : FormattedText.parse(answer)
}
