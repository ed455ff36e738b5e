/** Cuts a stream of SQL into its statements: at semicolons that stand in no string, no quoted name and no comment. */

/** @yields each statement without its semicolon; what follows the last one is no statement */
export async function* sqlStatements(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let statement = ''
  let quote = ''
  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at] ?? ''
      // A doubled quote closes and opens again: the same for who only looks for semicolons.
      if (quote) quote = character === quote ? '' : quote
      else if (character === "'" || character === '"' || character === '`') quote = character
      else if (character === ';') {
        const whole = (statement + chunk.slice(from, at)).trim()
        if (whole) yield whole
        statement = ''
        from = at + 1
      }
    }
    statement += chunk.slice(from)
  }
}
