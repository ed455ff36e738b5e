/**
 * Looks at the headers of a tar archive before the unpacker does. The format can say much that an honest archive of an agent
 * never says: links and devices, sizes that two readers understand differently, attributes that fill the memory. What passes
 * here is plain files and folders, and of extended headers only small ones that name a file.
 */
import { Transform, type TransformCallback } from 'node:stream'
import { ArchiveRefused } from './archive.ts'

const BLOCK_BYTES = 512
const SUM = { from: 148, to: 156 } as const
/** A long name and its time stamps take far less. */
const MAX_EXTENSION_BYTES = 16 * 1024
/** What changes how much is read, or who reads it: `size`, and all that GNU's sparse files say. */
const DANGEROUS_ATTRIBUTE = /(?:^|\n)\d+ (?:size|GNU\.sparse\.[^=]*)=/
const SIZE_FIELD = /^ *([0-7]*)[ \0]*$/

type Kind = 'file' | 'folder' | 'extension'
const KINDS: Readonly<Record<string, Kind>> = {
  '0': 'file',
  '\0': 'file',
  '5': 'folder',
  x: 'extension',
  L: 'extension',
}

/** @param maxHeaders more than this is refused, whatever they are */
export function createTarGuard(maxHeaders: number): Transform {
  let headers = 0
  /** Of the header or the extension that is being read. */
  let kept: Buffer[] = []
  let missing = BLOCK_BYTES
  let part: 'header' | 'extension' | 'content' = 'header'

  const expect = (next: typeof part, bytes: number) => {
    kept = []
    part = bytes === 0 ? 'header' : next
    missing = bytes === 0 ? BLOCK_BYTES : bytes
  }
  const finish = () => {
    if (part === 'content') return expect('header', BLOCK_BYTES)
    const block = Buffer.concat(kept)
    if (part === 'extension') {
      if (DANGEROUS_ATTRIBUTE.test(block.toString('latin1')))
        throw new ArchiveRefused('The archive holds odd attributes.')
      return expect('header', BLOCK_BYTES)
    }
    if (isEmpty(block)) return expect('header', BLOCK_BYTES)
    if (++headers > maxHeaders) throw new ArchiveRefused('The archive has too many files.')
    const { kind, bytes } = readHeader(block)
    expect(kind === 'extension' ? 'extension' : 'content', Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES)
  }
  const look = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + missing)
      if (part !== 'content') kept.push(piece)
      at += piece.length
      missing -= piece.length
      if (missing === 0) finish()
    }
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      try {
        look(chunk)
      } catch (error) {
        return done(
          error instanceof Error ? error : new ArchiveRefused('The archive cannot be read.', { cause: error }),
        )
      }
      done(null, chunk)
    },
  })
}

function readHeader(block: Buffer): { kind: Kind; bytes: number } {
  const type = block.toString('latin1', 156, 157)
  const kind = KINDS[type]
  if (!kind) throw new ArchiveRefused('The archive holds something else than plain files and folders.')
  // One spelling only: what two readers could take for two sizes is nobody's honest archive.
  const size = SIZE_FIELD.exec(block.toString('latin1', 124, 136))?.[1]
  if (size === undefined) throw new ArchiveRefused('The archive holds a size that is none.')
  const bytes = Number.parseInt(size || '0', 8)
  if (kind === 'folder' && bytes > 0) throw new ArchiveRefused('The archive holds a folder with content.')
  if (kind === 'extension' && bytes > MAX_EXTENSION_BYTES)
    throw new ArchiveRefused('The archive holds a name without end.')
  return { kind, bytes }
}

/** The end of an archive, and what fills it up. The unpacker does not look at the sum of such a block either. */
function isEmpty(block: Buffer): boolean {
  return block.every((byte, at) => byte === 0 || (at >= SUM.from && at < SUM.to))
}
