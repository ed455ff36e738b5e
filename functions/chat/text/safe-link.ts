/** Which addresses may become links: one that Telegram does not like makes it refuse the whole message. */

const MAX_URL_CHARS = 2_048
/** A dotted name of plain labels with a top-level domain of letters; anything rarer stays text. */
const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})$/
const ADDRESS = /^(?:\d{1,3}\.){3}\d{1,3}$/
const MAILBOX = /^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([a-z0-9.-]+)$/i

/** @returns the address in the form that Telegram takes, or `undefined` */
export function safeUrl(href: string): string | undefined {
  const trimmed = href.trim()
  if (trimmed.length > MAX_URL_CHARS || /[\s\p{Cc}"<>\\^`{|}]/u.test(trimmed)) return undefined
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return undefined
  const url = new URL(trimmed)
  // A name in front of the host is there to deceive.
  if (url.username !== '' || url.password !== '') return undefined
  if (!HOST.test(url.hostname) && !isPublicLooking(url.hostname)) return undefined
  return url.href.length <= MAX_URL_CHARS ? url.href : undefined
}

function isPublicLooking(hostname: string): boolean {
  return (
    ADDRESS.test(hostname) && hostname.split('.').every((part) => Number(part) <= 255) && !/^(0|127)\./.test(hostname)
  )
}

/**
 * @returns the mail address of a `mailto:` link. It is to be written out: as a link, Telegram makes `http://mailto:…` of it
 */
export function mailboxOf(href: string): string | undefined {
  if (!/^mailto:/i.test(href.trim())) return undefined
  const address = href.trim().slice('mailto:'.length).split('?')[0] ?? ''
  const host = MAILBOX.exec(address)?.[1]
  return host && HOST.test(host.toLowerCase()) ? address : undefined
}
