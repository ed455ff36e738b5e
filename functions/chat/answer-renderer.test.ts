import { expect, test } from 'vitest'
import { AnswerRenderer } from './answer-renderer.ts'
import { renderMarkdown } from './text/render-markdown.ts'

test('an answer that grows, or is begun anew, is always rendered as the whole would be', () => {
  const renderer = new AnswerRenderer()
  const stages = [
    '# He',
    '# Hello\n\n- on',
    '# Hello\n\n- one\n- two\n\n**bo',
    '# Hello\n\n- one\n- two\n\n**bold**',
    'Anew: *it',
    '',
  ]
  for (const stage of stages) expect(renderer.render(stage)).toEqual(renderMarkdown(stage))
})
