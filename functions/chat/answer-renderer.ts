/** Renders what a turn has said so far: when words were only added, only their end is looked at again. */
import type { FormattedText } from './text/formatted-text.ts'
import { createIncrementalRenderer } from './text/incremental-renderer.ts'

export class AnswerRenderer {
  #renderer = createIncrementalRenderer()
  #source = ''

  render(answer: string): FormattedText {
    if (!answer.startsWith(this.#source)) {
      // The agent began an answer anew, or replaced what it had streamed.
      this.#renderer = createIncrementalRenderer()
      this.#source = ''
    }
    this.#renderer.append(answer.slice(this.#source.length))
    this.#source = answer
    return this.#renderer.current()
  }
}
