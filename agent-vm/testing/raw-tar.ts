/** Tar archives block by block, as no honest program writes them. */
const BLOCK = 512

export interface RawEntry {
  readonly name: string
  /** The type flag; `0` a file, `x` extended attributes of the next entry, `g` of all, `L` a long name. */
  readonly type?: string
  readonly body?: Buffer | string
  /** What the header says of the size; the truth when absent. */
  readonly size?: string
  readonly linkname?: string
}

export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(2 * BLOCK)])
}

export function rawEntry({ name, type = '0', body = '', size, linkname = '' }: RawEntry): Buffer {
  const content = Buffer.from(body)
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  header.write(size ?? `${content.length.toString(8).padStart(11, '0')}\0`, 124, 12, 'latin1')
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(linkname, 157, 100)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total: number, byte: number) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])
}

/** Extended attributes as they stand in the body of an `x` or `g` entry. */
export function pax(attributes: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(attributes).map(([name, value]) => {
    const rest = Buffer.byteLength(` ${name}=${value}\n`)
    let length = rest + String(rest).length
    if (String(length).length + rest !== length) length = rest + String(length).length
    return `${length} ${name}=${value}\n`
  })
  return Buffer.from(lines.join(''))
}
