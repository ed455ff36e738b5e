/** A file that a call names: uploaded with it, sent before (by id), or at an address on this machine. */
import { basename } from 'node:path'
import { badRequest } from '../api-error.ts'
import type { FileKind, StoredFile } from '../state/files.ts'
import type { World } from '../world.ts'
import type { CallContext } from './method.ts'
import { type InputFile, isUpload } from './parameters.ts'
import { saveTo, type Upload } from './request-body.ts'

export const MAX_PHOTO_BYTES = 10 * 1024 * 1024
/** Width and height together, and their ratio. */
const MAX_PHOTO_SIDES = 10_000
const MAX_PHOTO_RATIO = 20

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\//

export interface FileRequest {
  readonly kind: FileKind
  readonly file: InputFile
  readonly duration?: number | undefined
}

export async function takeFile(context: CallContext, { kind, file, duration }: FileRequest): Promise<StoredFile> {
  const { world } = context
  if (typeof file === 'string' && !file.startsWith('attach://') && !/^https?:\/\//i.test(file)) {
    return requireSent(world, file, kind)
  }
  const upload = await findUpload(context, file)
  if (upload.size === 0) throw badRequest('file must be non-empty')
  if (kind === 'photo' && upload.size > MAX_PHOTO_BYTES) throw badRequest('file is too big')
  const stored = await world.files.add({
    kind,
    temporaryPath: upload.path,
    name: upload.name,
    mimeType: upload.mimeType ?? mimeTypeOf(upload.name, kind),
    duration,
  })
  if (kind === 'photo') checkPhoto(stored)
  return stored
}

async function findUpload(context: CallContext, file: InputFile): Promise<Upload> {
  if (isUpload(file)) return file
  if (/^https?:/i.test(file)) return download(context.world, file)
  const upload = context.uploads.get(file.slice('attach://'.length))
  if (!upload) throw badRequest('wrong file identifier/HTTP URL specified')
  return upload
}

/** Nothing but this machine is ever asked. */
async function download(world: World, url: string): Promise<Upload> {
  if (!LOOPBACK.test(url)) throw badRequest('failed to get HTTP URL content')
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(20_000) })
    if (!response.ok || !response.body) throw new Error(String(response.status))
    const path = world.files.temporaryPath()
    const size = await saveTo(path, response.body)
    const mimeType = response.headers.get('content-type')?.split(';')[0]
    return { path, size, name: basename(new URL(url).pathname), mimeType }
  } catch (cause) {
    throw Object.assign(badRequest('failed to get HTTP URL content'), { cause })
  }
}

/** A file sent before keeps its kind: a document cannot become a photo. */
function requireSent(world: World, fileId: string, kind: FileKind): StoredFile {
  const stored = world.files.find(fileId)
  if (!stored) throw badRequest('wrong file identifier/HTTP URL specified')
  if (stored.kind !== kind) {
    const name = (value: FileKind) => value.charAt(0).toUpperCase() + value.slice(1).replace('_', '')
    throw badRequest(`can't use file of type ${name(stored.kind)} as ${name(kind)}`)
  }
  return stored
}

function checkPhoto({ width, height }: StoredFile): void {
  if (width === undefined || height === undefined) throw badRequest('IMAGE_PROCESS_FAILED')
  const ratio = Math.max(width, height) / Math.min(width, height)
  if (width + height > MAX_PHOTO_SIDES || ratio > MAX_PHOTO_RATIO) throw badRequest('PHOTO_INVALID_DIMENSIONS')
}

const MIME_TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  json: 'application/json',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  mp4: 'video/mp4',
  webm: 'video/webm',
  py: 'text/x-python',
  js: 'text/javascript',
  ts: 'text/x-typescript',
  sh: 'application/x-sh',
}

const KIND_TYPES: Readonly<Partial<Record<FileKind, string>>> = {
  photo: 'image/jpeg',
  voice: 'audio/ogg',
  audio: 'audio/mpeg',
  video: 'video/mp4',
  animation: 'video/mp4',
  sticker: 'image/webp',
}

export function mimeTypeOf(name: string | undefined, kind: FileKind): string {
  const extension = name?.split('.').at(-1)?.toLowerCase() ?? ''
  return MIME_TYPES[extension] ?? KIND_TYPES[kind] ?? 'application/octet-stream'
}
