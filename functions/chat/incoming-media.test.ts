import type { Message } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import { AgentRefused } from './agent-client.ts'
import { fetchIncoming, MAX_DOWNLOAD_BYTES, mediaOf, quotedMediaOf } from './incoming-media.ts'
import { privateMessage } from './testing/messages.fake.ts'
import { FakeTelegram } from './testing/telegram-client.fake.ts'

const file = { file_id: 'f', file_unique_id: 'u' }

describe('mediaOf', () => {
  test.each<[string, Partial<Message>, string, string]>([
    [
      'photo',
      {
        photo: [
          { ...file, width: 1, height: 1 },
          { ...file, file_id: 'big', width: 9, height: 9 },
        ],
      },
      'photo-1.jpg',
      'image/jpeg',
    ],
    [
      'document',
      { document: { ...file, file_name: 'a b.pdf', mime_type: 'application/pdf' } },
      'a b.pdf',
      'application/pdf',
    ],
    ['voice', { voice: { ...file, duration: 3 } }, 'voice-1.ogg', 'audio/ogg'],
    ['audio', { audio: { ...file, duration: 3, file_name: 'song.mp3' } }, 'song.mp3', 'audio/mpeg'],
    ['video', { video: { ...file, duration: 3, width: 1, height: 1 } }, 'video-1.mp4', 'video/mp4'],
    ['video note', { video_note: { ...file, duration: 3, length: 1 } }, 'video-1.mp4', 'video/mp4'],
  ] as never)('knows a %s', (kind, fields, name, mime) => {
    expect(mediaOf(privateMessage(fields))).toMatchObject({ kind, name, mime })
  })

  test('takes the largest size of a photo', () => {
    const photo = [
      { ...file, width: 9, height: 9, file_id: 'big' },
      { ...file, width: 1, height: 1 },
    ]
    expect(mediaOf(privateMessage({ photo } as Partial<Message>))?.fileId).toBe('big')
  })

  test.each([
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a/b\\c.txt', 'a_b_c.txt'],
    ['.bashrc', 'bashrc'],
    ['\u202Egpj.exe', '_gpj.exe'],
    ['a\ud800b', 'a\ufffdb'],
    ['', 'document-1'],
  ])('makes %j a name for any file system', (given, name) => {
    const made =
      mediaOf(privateMessage({ document: { ...file, file_name: given || undefined } } as Partial<Message>))?.name ?? ''
    expect(made).toBe(name)
    expect(made).not.toMatch(/[/\\]/)
  })

  test('keeps the ending of a long name', () => {
    const document = { ...file, file_name: `${'x'.repeat(300)}.pdf` }
    const name = mediaOf(privateMessage({ document } as Partial<Message>))?.name ?? ''
    expect(name).toHaveLength(80)
    expect(name.endsWith('.pdf')).toBe(true)
  })

  test('finds the file of a message of another chat that is answered, beside the own one', () => {
    const document = { ...file, file_name: 'a.pdf' }
    const external_reply = { origin: { type: 'hidden_user', sender_user_name: 'Bob', date: 1 }, document }
    const message = privateMessage({ external_reply, document } as Partial<Message>)
    expect([mediaOf(message)?.name, quotedMediaOf(message)?.name]).toEqual(['a.pdf', 'quoted-a.pdf'])
    expect(quotedMediaOf(privateMessage({ document } as Partial<Message>))).toBeUndefined()
  })

  test('finds none in plain words', () => {
    expect(mediaOf(privateMessage({ text: 'hello' }))).toBeUndefined()
  })
})

describe('fetchIncoming', () => {
  const media = { kind: 'document', fileId: 'f', name: 'a.txt', mime: 'text/plain', bytes: 5 } as const

  test('streams the file into the workspace, under a name that is the same when repeated', async () => {
    const { ports, stored, telegram } = start()
    telegram.downloads.set('f', 'hello')
    const fetched = await fetchIncoming(media, 7, ports)
    expect(fetched).toEqual({
      kind: 'stored',
      attachment: { path: 'uploads/7-a.txt', name: 'a.txt', mime: 'text/plain' },
    })
    expect(stored.get('uploads/7-a.txt')).toBe('hello')
  })

  test('does not even ask for a file above 20 MB', async () => {
    const { ports, telegram } = start()
    expect(await fetchIncoming({ ...media, bytes: MAX_DOWNLOAD_BYTES + 1 }, 7, ports)).toEqual({ kind: 'too_large' })
    expect(telegram.calls).toEqual([])
  })

  test('tells a file that Telegram finds too large, and one that it does not hand over', async () => {
    const { ports, telegram } = start()
    telegram.fail = () => ({ kind: 'too_large' })
    expect(await fetchIncoming({ ...media, bytes: undefined }, 7, ports)).toEqual({ kind: 'too_large' })
    telegram.fail = () => ({ kind: 'refused' })
    expect(await fetchIncoming(media, 7, ports)).toEqual({ kind: 'failed' })
    expect(telegram.calls).toEqual(['getFile', 'getFile'])
  })

  test('tells a file that the agent has no room for, and nothing else that it refuses', async () => {
    const { ports, telegram, refuse } = start()
    telegram.downloads.set('f', 'hello')
    refuse(413, 'folder_full')
    expect(await fetchIncoming(media, 7, ports)).toEqual({ kind: 'no_room' })
    refuse(401, 'unauthorized')
    await expect(fetchIncoming(media, 7, ports)).rejects.toBeInstanceOf(AgentRefused)
  })

  test('asks again while Telegram is busy or not to be reached, as long as it asks for, but not for ever', async () => {
    const { ports, telegram, stored, slept } = start()
    telegram.downloads.set('f', 'hello')
    const faults = [{ kind: 'unknown' }, { kind: 'retry_after', retryAfterMs: 7_000 }] as const
    telegram.fail = () => faults[telegram.calls.length - 1]
    expect(await fetchIncoming(media, 7, ports)).toMatchObject({ kind: 'stored' })
    expect(stored.get('uploads/7-a.txt')).toBe('hello')
    expect(slept[1]).toBe(7_000)
    telegram.fail = () => ({ kind: 'unknown' })
    expect(await fetchIncoming(media, 7, ports)).toEqual({ kind: 'failed' })
    expect(telegram.calls.length).toBeLessThan(10)
    telegram.fail = () => ({ kind: 'retry_after', retryAfterMs: 600_000 })
    expect(await fetchIncoming(media, 7, ports)).toEqual({ kind: 'failed' })
    expect(Math.max(...slept)).toBe(7_000)
  })
})

function start() {
  const telegram = new FakeTelegram()
  const stored = new Map<string, string>()
  let refusal: AgentRefused | undefined
  const agent = {
    putFile: async (path: string, body: ReadableStream<Uint8Array>) => {
      if (refusal) throw refusal
      stored.set(path, await new Response(body).text())
    },
  }
  const slept: number[] = []
  const sleep = async (ms: number) => void slept.push(ms)
  const refuse = (status: number, error: string) => {
    refusal = new AgentRefused(status, '/files/…', { error })
  }
  return { telegram, stored, slept, refuse, ports: { telegram, agent, sleep } }
}
