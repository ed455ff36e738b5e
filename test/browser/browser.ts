/** Debian's Chromium, driven as a person would drive it. Nothing of it talks to anybody but the page. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { ROOT } from '../../local/settings.ts'

const CHROMIUM = '/usr/bin/chromium'
const SCREENSHOTS = join(ROOT, '.data', 'screenshots')
const PHONE = { width: 390, height: 844 }

export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`)
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** The chat page as one person sees it. */
export class ChatPage {
  readonly page: Page
  readonly problems: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.on('pageerror', (error) => this.problems.push(error.message))
  }

  static async open(browser: Browser, url: string, viewport = PHONE): Promise<ChatPage> {
    await mkdir(SCREENSHOTS, { recursive: true })
    const chat = new ChatPage(await browser.newPage({ viewport }))
    await chat.page.goto(url)
    return chat
  }

  async say(text: string): Promise<void> {
    const composer = this.page.getByTestId('composer')
    await composer.locator('textarea, [contenteditable]').or(composer).last().fill(text)
    await this.page.getByTestId('send').click()
  }

  /** Presses the newest button of that text: wait for its message first when an older one has such a button too. */
  async press(text: string | RegExp): Promise<void> {
    await this.page.getByTestId('inline-button').filter({ hasText: text }).last().click()
  }

  /** Picks files as a person does, with words under them. */
  async attach(files: readonly { name: string; mimeType: string; buffer: Buffer }[], caption: string): Promise<void> {
    await this.page.getByTestId('attach').click()
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.page.getByTestId('attach-file').click(),
    ])
    await chooser.setFiles([...files])
    await this.page.getByTestId('caption').fill(caption)
    await this.page.getByTestId('send-files').click()
  }

  /** On a phone the list of chats is a page of its own. */
  async backToChats(): Promise<void> {
    await this.page.getByTestId('back').click()
    await this.page.getByTestId('chats').waitFor()
  }

  async openChat(name: string | RegExp): Promise<void> {
    await this.page.getByTestId('chats').getByRole('button', { name }).first().click()
  }

  /** From the menu of what can be made new. */
  async make(what: string | RegExp, name: string): Promise<void> {
    await this.page.getByTestId('new').click()
    await this.page.getByRole('menuitem', { name: what, exact: true }).click()
    await this.page.getByRole('dialog').getByRole('textbox').fill(name)
    await this.page.getByRole('dialog').getByRole('button').last().click()
    await this.page.getByTestId('chat-header').getByText(name).waitFor()
  }

  message(text: string | RegExp): Locator {
    return this.page.getByTestId('message').filter({ hasText: text }).last()
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.message(text).waitFor({ timeout: 90_000 })
  }

  async lastMessages(): Promise<string> {
    return (await this.page.getByTestId('message').allInnerTexts()).slice(-8).join('\n---\n')
  }

  async screenshot(name: string): Promise<void> {
    // As it looks once it has come to rest: what fades in is fully there.
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' })
  }
}
