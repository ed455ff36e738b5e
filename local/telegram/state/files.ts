/** Files people and the bot sent: bytes on disk, facts in the database. A file id holds for every later use. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { imageSize } from './image-size.ts'
import type { Settings } from './settings.ts'

export const FILE_KINDS = [
  'photo',
  'document',
  'voice',
  'audio',
  'video',
  'animation',
  'sticker',
  'video_note',
] as const
export type FileKind = (typeof FILE_KINDS)[number]

const StoredFile = z.object({
  file_id: z.string(),
  file_unique_id: z.string(),
  kind: z.enum(FILE_KINDS),
  /** As in the download address: `documents/file_3.md`. */
  path: z.string(),
  name: z.string().optional(),
  mime_type: z.string(),
  size: z.int(),
  width: z.int().optional(),
  height: z.int().optional(),
  duration: z.int().optional(),
})
export type StoredFile = z.infer<typeof StoredFile>

export interface NewFile {
  readonly kind: FileKind
  /** Where the bytes were streamed to; the file is moved from there. */
  readonly temporaryPath: string
  readonly name?: string | undefined
  readonly mimeType?: string | undefined
  readonly duration?: number | undefined
}

const FOLDERS: Readonly<Record<FileKind, string>> = {
  photo: 'photos',
  document: 'documents',
  voice: 'voice',
  audio: 'music',
  video: 'videos',
  animation: 'animations',
  sticker: 'stickers',
  video_note: 'video_notes',
}

const EXTENSIONS: Readonly<Partial<Record<FileKind, string>>> = { photo: '.jpg', voice: '.oga', sticker: '.webp' }

export class Files {
  readonly folder: string
  readonly #database: DatabaseSync
  readonly #settings: Settings
  readonly #temporary: boolean

  constructor(database: DatabaseSync, settings: Settings, dataDir?: string) {
    this.#database = database
    this.#settings = settings
    this.#temporary = !dataDir
    this.folder = dataDir ? join(dataDir, 'files') : mkdtempSync(join(tmpdir(), 'telegram-files-'))
    mkdirSync(join(this.folder, 'uploads'), { recursive: true })
  }

  /** A place to stream an upload to. */
  temporaryPath(): string {
    return join(this.folder, 'uploads', randomBytes(12).toString('hex'))
  }

  async add({ kind, temporaryPath, name, mimeType, duration }: NewFile): Promise<StoredFile> {
    const { size } = await stat(temporaryPath)
    const dimensions = await readImageSize(temporaryPath)
    const number = this.#settings.next('file', 0)
    const extension = name ? extname(name).replace(/[^.\w]/g, '') : ''
    const path = `${FOLDERS[kind]}/file_${number}${extension || (EXTENSIONS[kind] ?? '')}`
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    await rename(temporaryPath, join(this.folder, path))
    const file: StoredFile = {
      file_id: `${kind.slice(0, 2).toUpperCase()}${randomBytes(30).toString('base64url')}`,
      file_unique_id: `AQAD${randomBytes(9).toString('base64url')}`,
      kind,
      path,
      ...(name ? { name } : {}),
      mime_type: mimeType ?? 'application/octet-stream',
      size,
      ...(dimensions ?? {}),
      ...(duration === undefined ? {} : { duration }),
    }
    this.#database
      .prepare('INSERT INTO files (file_id, kind, path, json) VALUES (?, ?, ?, ?)')
      .run(file.file_id, kind, path, JSON.stringify(file))
    return file
  }

  find(fileId: string): StoredFile | undefined {
    return this.#read('SELECT json FROM files WHERE file_id = ?', fileId)
  }

  findByPath(path: string): StoredFile | undefined {
    return this.#read('SELECT json FROM files WHERE path = ?', path)
  }

  diskPath(file: StoredFile): string {
    return join(this.folder, file.path)
  }

  close(): void {
    if (this.#temporary) rmSync(this.folder, { recursive: true, force: true })
  }

  #read(sql: string, key: string): StoredFile | undefined {
    const row = this.#database.prepare(sql).get(key)
    return row ? StoredFile.parse(JSON.parse(String(row.json))) : undefined
  }
}

/** Enough of a file for every image format's size to be in it, JPEG previews included. */
const IMAGE_HEAD_BYTES = 256 * 1024

async function readImageSize(path: string): Promise<{ width: number; height: number } | undefined> {
  const handle = await open(path)
  try {
    const head = Buffer.alloc(IMAGE_HEAD_BYTES)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    return imageSize(head.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}
