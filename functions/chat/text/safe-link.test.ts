import { describe, expect, test } from 'vitest'
import { safeUrl } from './safe-link.ts'

describe('an address', () => {
  test.each([
    ['https://example.org'],
    ['http://sub.example.co.uk:8080/a(b)?c=d#e'],
    ['https://bücher.example/ä'],
    ['http://93.184.216.34/'],
  ])('%s may be a link', (url) => {
    expect(safeUrl(url)).toBeDefined()
  })

  test.each([
    ['./docs/x.md'],
    ['#anchor'],
    ['//example.org'],
    ['tel:+49123'],
    ['tg://user?id=1'],
    ['javascript:alert(1)'],
    ['http://localhost:3000'],
    ['http://x'],
    ['http://127.0.0.1/'],
    ['http://[::1]/'],
    ['https://example.org:99999/'],
    ['https://good.example@evil.example/'],
    ['https://exa mple.org'],
    ['https://-bad.example'],
    ['https://example.123'],
    ['https://a..b'],
    ['mailto:me@example.org'],
    [`https://example.org/${'a'.repeat(3000)}`],
  ])('%s stays text', (url) => {
    expect(safeUrl(url)).toBeUndefined()
  })
})
