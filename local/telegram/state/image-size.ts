/** Width and height from the first bytes of a PNG, JPEG, GIF, WebP or BMP; undefined for anything else. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

export function imageSize(head: Buffer): ImageSize | undefined {
  if (head.length < 30) return undefined
  if (head.readUInt32BE(0) === 0x89504e47) return size(head.readUInt32BE(16), head.readUInt32BE(20))
  if (head.toString('latin1', 0, 3) === 'GIF') return size(head.readUInt16LE(6), head.readUInt16LE(8))
  if (head.toString('latin1', 0, 2) === 'BM') return size(head.readInt32LE(18), Math.abs(head.readInt32LE(22)))
  if (head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP') return webpSize(head)
  if (head.readUInt16BE(0) === 0xffd8) return jpegSize(head)
  return undefined
}

function webpSize(head: Buffer): ImageSize | undefined {
  const chunk = head.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return size(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1)
  if (chunk === 'VP8 ') return size(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff)
  if (chunk !== 'VP8L') return undefined
  const bits = head.readUInt32LE(21)
  return size((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
}

function jpegSize(head: Buffer): ImageSize | undefined {
  let at = 2
  while (at + 9 < head.length) {
    if (head[at] !== 0xff) return undefined
    const marker = head[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return size(head.readUInt16BE(at + 7), head.readUInt16BE(at + 5))
    at += 2 + head.readUInt16BE(at + 2)
  }
  return undefined
}

function size(width: number, height: number): ImageSize | undefined {
  return width > 0 && height > 0 ? { width, height } : undefined
}
