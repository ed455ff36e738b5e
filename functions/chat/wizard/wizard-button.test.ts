import { describe, expect, test } from 'vitest'
import { LANGUAGES, wordsFor } from '../catalogue/catalogue.ts'
import { startCopy, startCreate } from './create-wizard.ts'
import { startShare } from './share-wizard.ts'
import { isCurrent, parseWizardButton, wizardButton } from './wizard-button.ts'
import { renderWizard } from './wizard-screen.ts'
import type { WizardState } from './wizard-state.ts'

const owner = { id: 'abc123', message: 0, userId: 7, now: 0 }
const data = {
  name: '🐕'.repeat(64),
  purpose: '字'.repeat(4096),
  model: 'qwen3-coder-next',
  copyOf: '',
  copyOfName: '',
}
const states: WizardState[] = [
  ...(['name', 'purpose', 'model', 'confirm'] as const).map((step) => ({ ...startCreate(owner), step, data })),
  ...(['name', 'prompt', 'memory', 'key'] as const).map((field) => ({
    ...{ ...owner, kind: 'edit' as const, rev: 3, updatedAt: 0, step: 'input' as const },
    data: { agentId: 'a', agentName: '🐕'.repeat(64), field },
  })),
  startCopy(owner, { id: 'a', name: '🐕'.repeat(64), model: 'glm-4.7' }),
  startShare(owner, { agentId: 'a', agentName: '🐕'.repeat(64) }),
].map((state) => ({ ...state, rev: 46_655 }))

describe.each(LANGUAGES)('every wizard screen in %s', (language) => {
  test.each(states)('$kind/$step fits into what Telegram takes', (state) => {
    for (const problem of [
      undefined,
      { kind: 'name_too_long', length: 100 },
      { kind: 'text_too_long', length: 9000, max: 4096 },
    ] as const) {
      const { text, keyboard } = renderWizard(state, wordsFor(language), problem)
      expect([...text.text].length).toBeLessThanOrEqual(4096)
      for (const shown of keyboard.flat()) {
        const sent = 'callback_data' in shown ? shown.callback_data : ''
        expect(new TextEncoder().encode(sent).length).toBeLessThanOrEqual(64)
        const press = parseWizardButton(sent)
        expect(press && isCurrent(press, state)).toBe(true)
      }
    }
  })
})

test('what no wizard can have sent is not understood', () => {
  for (const data of [
    '',
    'w1:',
    'w1:abc123:name:0:',
    'w1:ABC123:name:0:x',
    'w1:abc123:name:0:a:b',
    'w1:abc123:n:0:💥',
  ]) {
    expect(parseWizardButton(data)).toBeUndefined()
  }
})

test('a button of another step or revision is not current', () => {
  const state = startCreate(owner)
  const shown = wizardButton(state, 'x', 'skip')
  const press = parseWizardButton('callback_data' in shown ? shown.callback_data : '')
  expect(press && isCurrent(press, { ...state, rev: 1 })).toBe(false)
  expect(press && isCurrent(press, { ...state, step: 'model' })).toBe(false)
})
