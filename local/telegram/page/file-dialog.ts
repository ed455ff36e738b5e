/** Before files are sent: what they are, a caption, and whether pictures go as photos. */
import { api, type Where } from './api.ts'
import { h } from './dom.ts'
import { bytes } from './format.ts'
import { dialog } from './toast.ts'

/** Telegram's apps compress what is sent as a photo to this many bytes at most; a bigger one must go as a file. */
const MAX_PHOTO_BYTES = 10 * 1024 * 1024

const PHOTO = /^image\/(png|jpeg|webp)$/

export interface FilesToSend {
  send(where: Where, replyTo: number | undefined): Promise<void>
}

export function askFiles(files: readonly File[], caption: string): Promise<FilesToSend | undefined> {
  return new Promise((resolve) => {
    const previews: string[] = []
    const input = h('input', {
      testid: 'caption',
      attrs: { type: 'text', placeholder: 'Caption', 'aria-label': 'Caption', value: caption },
    })
    const asPhotos = h('input', { testid: 'as-photos', attrs: { type: 'checkbox', checked: true } })
    const hasPhotos = files.some(isPhoto)
    const cancel = h('button', { attrs: { type: 'button' } }, 'Cancel')
    const ok = h('button', { class: 'primary', testid: 'send-files', attrs: { type: 'submit' } }, 'Send')
    const rows = files.map((file) => {
      const row = h('div', { class: 'file-row' })
      if (isPhoto(file)) {
        const url = URL.createObjectURL(file)
        previews.push(url)
        row.appendChild(h('img', { attrs: { src: url, alt: '' } }))
      } else {
        row.appendChild(h('span', { class: 'file-badge' }, file.name.split('.').at(-1)?.slice(0, 4) ?? ''))
      }
      row.appendChild(
        h(
          'span',
          { class: 'file-text' },
          h('span', { class: 'file-name' }, file.name),
          h('span', { class: 'file-detail' }, bytes(file.size)),
        ),
      )
      return row
    })
    const form = h(
      'form',
      { attrs: { method: 'dialog' } },
      h('h2', {}, files.length === 1 ? 'Send a file' : `Send ${files.length} files`),
      h('div', { class: 'file-rows' }, ...rows),
      hasPhotos ? h('label', { class: 'check' }, asPhotos, 'Send pictures as photos') : undefined,
      input,
      h('div', { class: 'dialog-buttons' }, cancel, ok),
    )
    let answer: FilesToSend | undefined
    form.addEventListener('submit', () => {
      answer = {
        send: (where, replyTo) =>
          sendAll(files, { caption: input.value.trim(), asPhotos: asPhotos.checked }, where, replyTo),
      }
    })
    const element = dialog([form], 'file-dialog')
    cancel.addEventListener('click', () => element.close())
    element.addEventListener('close', () => {
      for (const url of previews) URL.revokeObjectURL(url)
      resolve(answer)
    })
    input.focus()
  })
}

function isPhoto(file: File): boolean {
  return PHOTO.test(file.type) && file.size <= MAX_PHOTO_BYTES
}

function kindOf(file: File, asPhotos: boolean): 'photo' | 'document' | 'audio' | 'video' {
  if (asPhotos && isPhoto(file)) return 'photo'
  if (file.type.startsWith('video/')) return 'video'
  return file.type.startsWith('audio/') ? 'audio' : 'document'
}

async function sendAll(
  files: readonly File[],
  { caption, asPhotos }: { caption: string; asPhotos: boolean },
  where: Where,
  replyTo: number | undefined,
): Promise<void> {
  const isAlbum = files.length > 1
  const mediaGroup = isAlbum ? await api.newMediaGroup() : undefined
  for (const [index, file] of files.entries()) {
    await api.file(where, file, {
      kind: kindOf(file, asPhotos),
      caption: index === 0 ? caption : undefined,
      mediaGroup,
      replyTo: index === 0 ? replyTo : undefined,
    })
  }
}
