/**
 * The programs of the tool process inside the one bundled file: packed into comments at its end. The server's own start
 * neither parses nor holds them, and a tool process loads nothing of the server (together some 25 MB of memory and half of a
 * start). Reading the web is a program of its own, for the sake of its libraries' size.
 */
export type ProgramName = 'tools' | 'web'

/** Begins the line of one program; its name and its packed source follow. */
export const PROGRAM_MARK = '\n//# baal-program '

/**
 * Unpacks and runs one program; this is all that the command line holds. In a function, so that nothing of the file stays in
 * memory.
 */
const LOADER = `
const [, file, name] = process.argv
const unpack = () => {
  const bytes = require('node:fs').readFileSync(file)
  const mark = ${JSON.stringify(PROGRAM_MARK)} + name + ' '
  const start = bytes.lastIndexOf(mark) + mark.length
  const end = bytes.indexOf('\\n', start)
  const packed = bytes.latin1Slice(start, end === -1 ? bytes.length : end)
  return require('node:zlib').gunzipSync(Buffer.from(packed, 'base64')).latin1Slice()
}
require('node:vm').runInThisContext('(function(require){' + unpack() + '\\n})', { filename: name })(require)
`

/** @returns arguments of `node` that run the program out of the bundled file */
export function programEntry(bundledFile: string, name: ProgramName): readonly string[] {
  return ['--input-type=commonjs', '-e', LOADER.trim().replaceAll('\n', ';'), bundledFile, name]
}
