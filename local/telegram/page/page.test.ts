import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { MessageEntity } from 'grammy/types'
import { parseHTML } from 'linkedom'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startTestBot, type TestBot } from '../test-bot.ts'
import { renderText, startPayload } from './text-view.ts'

let bot: TestBot
beforeAll(async () => {
  bot = await startTestBot()
  const { document } = parseHTML('<html><body></body></html>')
  vi.stubGlobal('document', document)
})
afterAll(async () => {
  vi.unstubAllGlobals()
  await bot.close()
})

describe('the page', () => {
  test('needs nothing from elsewhere, and says so to the browser', async () => {
    const response = await fetch(`${bot.url}/`)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
    const html = await response.text()
    expect(html).not.toMatch(/(?:src|href)="(?!\/page\/)/)
    expect(html).not.toMatch(/<script(?! type="module" src)|\son\w+=|style="/)
  })

  test('serves each of its files, TypeScript as JavaScript', async () => {
    const files = await readdir(fileURLToPath(new URL('.', import.meta.url)))
    for (const file of files.filter((name) => !name.endsWith('.test.ts') && name !== 'index.html')) {
      const response = await fetch(`${bot.url}/page/${file}`)
      expect(response.status, file).toBe(200)
      if (!file.endsWith('.ts')) continue
      expect(response.headers.get('content-type')).toContain('text/javascript')
      // What a browser would try to load besides the page's own files.
      expect(
        [...(await response.text()).matchAll(/from '([^']+)'/g)]
          .map((match) => match[1])
          .filter((from) => !from?.startsWith('./')),
        file,
      ).toEqual([])
    }
    expect((await fetch(`${bot.url}/page/..%2Fmain.ts`)).status).toBe(404)
  })

  test('never turns text into markup', async () => {
    const files = await readdir(fileURLToPath(new URL('.', import.meta.url)))
    const { readFile } = await import('node:fs/promises')
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
      const source = await readFile(fileURLToPath(new URL(file, import.meta.url)), 'utf8')
      expect(source, file).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/)
    }
  })
})

describe('a text on the page', () => {
  const actions = { start: vi.fn(), command: vi.fn(), botUsername: 'baal_local_bot' }
  const html = (text: string, entities: MessageEntity[]) => {
    const holder = document.createElement('div')
    holder.appendChild(renderText(text, entities, actions))
    return holder
  }

  test('nests styles as their entities nest', () => {
    const element = html('a bold both x', [
      { type: 'bold', offset: 2, length: 9 },
      { type: 'italic', offset: 7, length: 4 },
    ])
    expect(element.innerHTML).toBe('a <strong>bold <em>both</em></strong> x')
  })

  test('shows markup as text', () => {
    expect(html('<img src=x onerror=alert(1)>', []).querySelector('img')).toBeNull()
    expect(html('<b>', [{ type: 'code', offset: 0, length: 3 }]).textContent).toBe('<b>')
  })

  test('swallows the line ends beside a block', () => {
    const element = html('before\ncode\nafter', [{ type: 'pre', offset: 7, length: 4, language: 'ts' }])
    expect(element.firstChild?.textContent).toBe('before')
    expect(element.lastChild?.textContent).toBe('after')
  })

  test('links only to safe addresses', () => {
    const link = (url: string) => html('x', [{ type: 'text_link', offset: 0, length: 1, url }]).querySelector('a')
    expect(link('javascript:alert(1)')).toBeNull()
    expect(link('data:text/html,x')).toBeNull()
    expect(link('https://example.org')?.getAttribute('rel')).toBe('noopener noreferrer')
  })

  test('opens links to this bot right here', () => {
    html('x', [{ type: 'text_link', offset: 0, length: 1, url: 'https://t.me/Baal_local_bot?start=abc' }])
      .querySelector('a')
      ?.click()
    expect(actions.start).toHaveBeenCalledWith('abc')
    expect(startPayload(new URL('tg://resolve?domain=baal_local_bot&start=q'), 'baal_local_bot')).toBe('q')
    expect(startPayload(new URL('https://t.me/other_bot?start=q'), 'baal_local_bot')).toBeUndefined()
  })

  test('survives entities that overlap', () => {
    const element = html('abcdef', [
      { type: 'bold', offset: 0, length: 4 },
      { type: 'italic', offset: 2, length: 4 },
    ])
    expect(element.textContent).toBe('abcdef')
  })
})
