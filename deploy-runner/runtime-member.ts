/**
 * The Node runtime as the closing gzip member of a tar stream. It is by far the largest thing that goes over, the same for
 * every machine, and takes seconds to compress: so that is done once, when the runner is built, or else when first needed.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { pack } from 'tar-stream'

/** @param level 1 to 9: the best takes about twice as long as the middle and saves little */
export async function packRuntime(file: string, level: number = constants.Z_DEFAULT_COMPRESSION): Promise<Buffer> {
  const tar = pack()
  const compressed = buffer(tar.pipe(createGzip({ level })))
  const entry = tar.entry({ name: 'files/node', mode: 0o700, size: (await stat(file)).size })
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), entry)
  tar.finalize()
  return compressed
}
