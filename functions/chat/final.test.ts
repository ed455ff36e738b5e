import { describe, expect, test } from 'vitest'
import { deliveryWords } from './delivery-words.ts'
import { buildFinal, type FinalRequest, previewRef } from './final.ts'
import { NO_PROGRESS, type TurnProgress } from './turn-progress.ts'

describe('buildFinal', () => {
  test('sends the answer as a new message when no preview exists', () => {
    expect(build({ settled: ['Hello'] })).toMatchObject([
      { kind: 'send', ref: previewRef('t1'), text: { text: 'Hello' } },
    ])
  })

  test('turns the preview into the answer: never both', () => {
    expect(build({ settled: ['Hello'] }, { hasPreview: true })).toMatchObject([
      { kind: 'edit', target: { ref: previewRef('t1') }, text: { text: 'Hello' } },
    ])
  })

  test('sends a long answer in parts, a very long one with a document', () => {
    const parts = build({ settled: [paragraphs(8_000)] })
    expect(parts.map(({ kind }) => kind)).toEqual(['send', 'send'])
    const long = build({ settled: [paragraphs(40_000)] })
    expect(long.map(({ kind }) => kind)).toEqual(['send', 'send', 'document'])
    expect(long.at(-1)).toMatchObject({ name: 'answer.md', content: paragraphs(40_000) })
  })

  test('offers the steps under the last part when tools were used, unless tools are hidden', () => {
    const [message] = build({ settled: ['Hello'], toolCount: 2 })
    expect(message).toMatchObject({ keyboard: [[{ callback_data: 'steps:t1' }]] })
    expect(build({ settled: ['Hello'], toolCount: 2 }, { quiet: true })[0]).not.toHaveProperty('keyboard')
    expect(build({ settled: ['Hello'] })[0]).not.toHaveProperty('keyboard')
  })

  test('says in one line what went wrong, below what was said, with a button that helps', () => {
    const [message] = build({ live: 'Half an ans' }, { problem: 'The model does not answer.' })
    expect(message).toMatchObject({
      text: { text: 'Half an ans\n\n⚠️ The model does not answer.' },
      keyboard: [[{ callback_data: 'retry:t1' }]],
    })
  })

  test('keeps what was said before a stop', () => {
    expect(build({ live: 'Half' }, { stopped: true })).toMatchObject([{ text: { text: 'Half\n\n⏹ Stopped.' } }])
    expect(build({}, { stopped: true })).toMatchObject([{ text: { text: '⏹ Stopped.' } }])
  })

  test('is never silent', () => {
    expect(build({})).toMatchObject([{ text: { text: '✓ Done.' } }])
    expect(build({ done: 'max_iterations', settled: ['So far.'] })[0]).toMatchObject({
      text: { text: expect.stringContaining('go on') },
    })
  })

  test('answers the message that asked, with its first part only', () => {
    const parts = build({ settled: [paragraphs(8_000)] }, { replyTo: 77 })
    expect(parts[0]).toMatchObject({ replyTo: 77 })
    expect(parts[1]).not.toHaveProperty('replyTo')
  })

  test('is one that Telegram takes, whatever the agent and its machine say', () => {
    const odd = 'a\ud800b\u0000c\u202ed'
    const [message] = build({ notices: [odd], settled: [odd] }, { problem: odd })
    expect(message).toMatchObject({ text: { text: 'a\ufffdbcd\na\ufffdbcd\n\n⚠️ a\ufffdbcd' } })
  })

  test('is a rich message for who wants one, where it shows more than text can', () => {
    const table = '| a | b |\n|---|---|\n| 1 | 2 |'
    expect(build({ settled: [table] })[0]).not.toHaveProperty('rich')
    expect(build({ settled: ['words'] }, { rich: 'auto' })[0]).not.toHaveProperty('rich')
    expect(build({ settled: ['words'] }, { rich: 'always' })).toMatchObject([
      { text: { text: 'words' }, rich: { blocks: [{ type: 'paragraph', text: 'words' }] } },
    ])
    const request = { rich: 'auto', problem: 'Oh.', hasPreview: true } as const
    expect(build({ settled: [table], notices: ['Compacted.'] }, request)).toMatchObject([
      {
        kind: 'edit',
        text: { text: expect.stringContaining('Oh.') },
        rich: {
          blocks: [
            { type: 'paragraph', text: { type: 'italic', text: 'Compacted.' } },
            { type: 'table' },
            { type: 'paragraph', text: '⚠️ Oh.' },
          ],
        },
        keyboard: [[{ callback_data: 'retry:t1' }]],
      },
    ])
  })

  test('brings its parts as text along, should Telegram not take it rich', () => {
    const [first, ...rest] = build({ settled: [`$$x$$\n\n${paragraphs(20_000)}`], toolCount: 1 }, { rich: 'auto' })
    expect(first).toMatchObject({ rich: expect.anything(), keyboard: [[{ callback_data: 'steps:t1' }]] })
    expect(rest).toMatchObject([
      { kind: 'send', insteadOfRich: previewRef('t1') },
      { kind: 'document', insteadOfRich: previewRef('t1') },
    ])
    const book = build({ settled: [`$$x$$\n\n${paragraphs(40_000)}`] }, { rich: 'auto' })
    expect(JSON.stringify(book)).not.toContain('insteadOfRich')
  })

  test('says how a very long answer ended beside its document', () => {
    const long = build({ settled: [paragraphs(40_000)] }, { stopped: true })
    expect(long.at(-1)).toMatchObject({ caption: { text: 'The whole answer is in this file.\n⏹ Stopped.' } })
  })

  test('goes without formatting when that cannot be made', () => {
    const final = buildFinal(request({ settled: ['**Hello**'] }), () => {
      throw new RangeError('too deep')
    })
    expect(final).toMatchObject([{ text: { text: '**Hello**', entities: [] } }])
  })

  test.each(['\u200b', '\u2060\u200d', '\u00ad\n\n\u3164'])('never ends in silence: %j is no answer', (answer) => {
    expect(build({ settled: [answer] })).toMatchObject([{ kind: 'send', text: { text: '✓ Done.' } }])
    expect(build({ settled: [answer] }, { hasPreview: true })).toMatchObject([{ kind: 'edit' }])
    const [failed] = build({ settled: [answer] }, { problem: 'The model does not answer.' })
    expect(failed).toMatchObject({ text: { text: expect.stringContaining('⚠️ The model does not answer.') } })
  })

  test('shows a notice in the person’s language, where it has words there', () => {
    const said = {
      notices: ['I condensed the older part.', 'I yawned.'],
      noticeCodes: ['condensed', 'yawned'],
      settled: ['Hola'],
    }
    expect(build(said, { words: deliveryWords('es') })[0]).toMatchObject({
      text: { text: `${deliveryWords('es').notices.condensed}\nI yawned.\nHola` },
    })
  })

  test('shows notices above the answer', () => {
    expect(build({ notices: ['Compacted.'], settled: ['Hello'] })[0]).toMatchObject({
      text: { text: 'Compacted.\nHello' },
    })
  })
})

function build(progress: Partial<TurnProgress>, options: Partial<FinalRequest> = {}) {
  return buildFinal(request(progress, options))
}

function request(progress: Partial<TurnProgress>, options: Partial<FinalRequest> = {}): FinalRequest {
  return {
    turnId: 't1',
    progress: { ...NO_PROGRESS, ...progress },
    quiet: false,
    hasPreview: false,
    mayBeOvertaken: false,
    stopped: false,
    words: deliveryWords('en'),
    ...options,
  }
}

function paragraphs(chars: number): string {
  return Array.from({ length: Math.floor(chars / 100) }, (_, n) => `${n} `.padEnd(98, 'word ').trimEnd()).join('\n\n')
}
