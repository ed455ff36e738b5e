/** Short notes at the bottom, and dialogs that want an answer. */
import { add, h } from './dom.ts'

const TOAST_MS = 3_500

export function toast(text: string): void {
  const holder = document.getElementById('toasts')
  const element = h('div', { class: 'toast', testid: 'toast' }, text)
  add(holder ?? document.body, element)
  setTimeout(() => element.classList.add('leaving'), TOAST_MS - 300)
  setTimeout(() => element.remove(), TOAST_MS)
}

/** A dialog above everything; Escape and a click beside it close it. */
export function dialog(content: readonly HTMLElement[], testid: string): HTMLDialogElement {
  const element = h('dialog', { class: 'dialog', testid }, ...content)
  element.addEventListener('close', () => element.remove())
  element.addEventListener('click', (event) => {
    if (event.target === element) element.close()
  })
  add(document.body, element)
  element.showModal()
  return element
}

export function alertDialog(title: string, text: string): void {
  const ok = h('button', { class: 'primary', testid: 'alert-ok', attrs: { type: 'button' } }, 'OK')
  const element = dialog(
    [h('h2', {}, title), h('p', { class: 'pre-wrap' }, text), h('div', { class: 'dialog-buttons' }, ok)],
    'alert',
  )
  ok.addEventListener('click', () => element.close())
  ok.focus()
}

/** @returns what was entered, or undefined when the dialog was closed */
export function askText(title: string, label: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const input = h('input', {
      testid: 'dialog-input',
      attrs: { type: 'text', maxlength: 64, 'aria-label': label, placeholder: label },
    })
    const cancel = h('button', { attrs: { type: 'button' } }, 'Cancel')
    const ok = h('button', { class: 'primary', testid: 'dialog-ok', attrs: { type: 'submit' } }, 'OK')
    const form = h(
      'form',
      { attrs: { method: 'dialog' } },
      h('h2', {}, title),
      input,
      h('div', { class: 'dialog-buttons' }, cancel, ok),
    )
    let answer: string | undefined
    form.addEventListener('submit', () => {
      answer = input.value.trim() || undefined
    })
    const element = dialog([form], 'ask')
    cancel.addEventListener('click', () => element.close())
    element.addEventListener('close', () => resolve(answer))
    input.focus()
  })
}

export interface MenuItem {
  readonly label: string
  readonly testid?: string
  readonly danger?: boolean
  readonly run: () => void
}

/** A menu at a point, moved so that all of it can be seen. */
export function popupMenu(x: number, y: number, items: readonly MenuItem[], top?: HTMLElement): void {
  document.querySelector('.popup')?.remove()
  const before = document.activeElement
  const menu = h('div', { class: 'popup', testid: 'menu', attrs: { role: 'menu' } })
  const close = () => {
    menu.remove()
    document.removeEventListener('pointerdown', onOutside, true)
    if (before instanceof HTMLElement) before.focus({ preventScroll: true })
  }
  const onOutside = (event: Event) => {
    if (!(event.target instanceof Node) || !menu.contains(event.target)) close()
  }
  if (top) {
    top.addEventListener('click', close)
    add(menu, top)
  }
  for (const { label, testid, danger, run } of items) {
    const button = h(
      'button',
      { class: danger ? 'danger' : '', ...(testid ? { testid } : {}), attrs: { type: 'button', role: 'menuitem' } },
      label,
    )
    button.addEventListener('click', () => {
      close()
      run()
    })
    add(menu, button)
  }
  menu.addEventListener('keydown', (event) => moveFocus(event, menu, close))
  add(document.body, menu)
  const { width, height } = menu.getBoundingClientRect()
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`
  menu.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  document.addEventListener('pointerdown', onOutside, true)
}

function moveFocus(event: KeyboardEvent, menu: HTMLElement, close: () => void): void {
  const items = [...menu.querySelectorAll<HTMLElement>('button')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  if (event.key === 'Escape') close()
  else if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus()
  else if (event.key === 'ArrowUp') items[(at - 1 + items.length) % items.length]?.focus()
  else return
  event.preventDefault()
}
