import { describe, expect, test } from 'vitest'
import { readCorpus } from './corpus.fake.ts'
import { createIncrementalRenderer } from './incremental-renderer.ts'
import { renderMarkdown } from './render-markdown.ts'

describe('an answer that grows', () => {
  for (const { name, source } of readCorpus()) {
    test(`looks at every step as if it had been rendered whole (${name})`, () => {
      const renderer = createIncrementalRenderer()
      for (let end = 1; end <= source.length; end++) {
        renderer.append(source.slice(end - 1, end))
        const grown = renderer.current()
        // Rendering the whole is what takes long: around line ends, where decisions fall, and now and then between.
        if (end % 5 > 0 && source[end - 1] !== '\n' && source[end - 2] !== '\n') continue
        const whole = renderMarkdown(source.slice(0, end))
        if (JSON.stringify(grown) !== JSON.stringify(whole)) expect(grown).toEqual(whole)
      }
    })
  }

  test('is rendered anew when a definition changes what was said before', () => {
    const renderer = createIncrementalRenderer()
    renderer.append(`[home]\n\n${'A paragraph of some length.\n\n'.repeat(100)}`)
    expect(renderer.current().entities).toEqual([])
    renderer.append('[home]: https://example.org\n')
    expect(renderer.current().entities).toMatchObject([{ type: 'text_link', offset: 0 }])
  })

  test('may be torn inside a character', () => {
    const renderer = createIncrementalRenderer()
    renderer.append('a \ud83d')
    expect(renderer.current().text).toBe('a \ufffd')
    renderer.append('\ude00')
    expect(renderer.current().text).toBe('a 😀')
  })
})
