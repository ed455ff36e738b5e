/** The parameters of a call, whichever of the Bot API's ways they came by; files go straight to disk. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { ApiError, badRequest } from '../api-error.ts'
import { MalformedMultipart, readMultipart } from './multipart.ts'

/** Upload limit of the cloud Bot API. */
export const MAX_UPLOAD_BYTES = 50 * 1024 * 1024
const MAX_FIELDS_BYTES = 8 * 1024 * 1024

export interface Upload {
  readonly path: string
  readonly name: string | undefined
  readonly mimeType: string | undefined
  readonly size: number
}

export interface CallBody {
  readonly fields: Record<string, unknown>
  /** By part name; `attach://<name>` in a field means one of these. */
  readonly uploads: Map<string, Upload>
}

/**
 * @param into what was read, also when it ends in a refusal: its files are to be removed
 * @param temporaryPath a fresh place for each file
 */
export async function readCallBody(
  request: IncomingMessage,
  query: URLSearchParams,
  into: CallBody,
  temporaryPath: () => string,
): Promise<void> {
  const { fields } = into
  Object.assign(fields, Object.fromEntries(query))
  const type = request.headers['content-type'] ?? ''
  if (request.method !== 'POST') return
  if (/^multipart\/form-data/i.test(type)) {
    await readParts(request, type, into, temporaryPath)
  } else if (/^application\/json/i.test(type)) {
    Object.assign(fields, parseJson(await readText(request)))
  } else {
    Object.assign(fields, Object.fromEntries(new URLSearchParams(await readText(request))))
  }
}

const JsonBody = z.record(z.string(), z.unknown())

function parseJson(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  try {
    return JsonBody.parse(JSON.parse(text))
  } catch {
    throw badRequest("Can't parse request body as a JSON object")
  }
}

async function readParts(
  request: IncomingMessage,
  type: string,
  { fields, uploads }: CallBody,
  temporaryPath: () => string,
): Promise<void> {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/i.exec(type)
  const value = boundary?.[1] ?? boundary?.[2]?.trim()
  if (!value) throw badRequest('Boundary not found')
  try {
    for await (const part of readMultipart(request, value)) {
      if (part.filename === undefined) {
        fields[part.name] = await readText(part.body)
      } else {
        const path = temporaryPath()
        const size = await saveTo(path, part.body)
        uploads.set(part.name, {
          path,
          size,
          name: part.filename ? basename(part.filename) : undefined,
          mimeType: part.contentType,
        })
      }
    }
  } catch (error) {
    if (error instanceof MalformedMultipart) throw badRequest(error.message)
    throw error
  }
}

/** @throws {ApiError} 413 beyond the upload limit */
export async function saveTo(path: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  async function* counted() {
    for await (const chunk of body) {
      size += chunk.length
      if (size > MAX_UPLOAD_BYTES) throw new ApiError(413, 'Request Entity Too Large')
      yield chunk
    }
  }
  try {
    await pipeline(counted, createWriteStream(path))
    return size
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_FIELDS_BYTES) throw new ApiError(413, 'Request Entity Too Large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
