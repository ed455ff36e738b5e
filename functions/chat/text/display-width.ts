/** How many columns a text takes in a fixed-width font: wide characters and emoji two, marks none. */

const ONE_EACH = /^[\x20-\x7e]*$/
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f/u
const NO_WIDTH = /^(?:\p{M}|\p{Default_Ignorable_Code_Point})*$/u

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function displayWidth(text: string): number {
  if (ONE_EACH.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    if (WIDE.test(segment)) width += 2
    else if (!NO_WIDTH.test(segment)) width += 1
  }
  return width
}
