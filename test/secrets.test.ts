/** Nothing in the repository looks like a secret of somebody. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../local/settings.ts'

const MAX_BYTES = 2 * 1024 * 1024

/** What tokens and keys look like, by who gives them out; and what any assignment of one looks like. */
const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['a Telegram bot token', /(?<![\w-])\d{8,10}:AA[\w-]{33}(?![\w-])/g],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[\w+/=\s]{64,}/g],
  ['a key of a model provider', /(?<![\w-])sk-(?:[a-z]+-)?[A-Za-z0-9]{32,}/g],
  ['a GitHub token', /(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})/g],
  ['a Cloudflare token', /(?<![\w-])cf[a-z]{0,3}_[A-Za-z0-9]{36,}/g],
  ['an Amazon key', /(?<![A-Z0-9])AKIA[A-Z0-9]{16}(?![A-Z0-9])/g],
  ['a Brave key', /(?<![\w-])BSA[\w-]{27,}/g],
  ['a signed token', /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g],
  ['an Ethereum private key', /(?:private|secret)\w*["']?\s*[:=]\s*["']?(?:0x)?[0-9a-f]{64}(?![0-9a-f])/gi],
  ['a JWK with its private part', /"d"\s*:\s*"[\w-]{43}"/g],
  [
    'a value for a secret',
    /(?:TOKEN|SECRET|PASSWORD|API_KEY|PRIVATE_KEY|ENCRYPTION_KEY|SIGNING_KEY)\s*=\s*["']?[\w+/-]{20,}/g,
  ],
]

/** Made for a test, and saying so: repeated characters, or words. */
const MADE_UP =
  /(.)\1{7,}|(?:\b[a-z]+-){3,}|test|fake|planted|stand-in|example|0123456789|abcdefghijklm|not-used|separately-started/i

/** `undefined` where there is no git: a copy of the files alone. */
const FILES = listFiles()

function listFiles(): string[] | undefined {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
  return status === 0 ? stdout.split('\0').filter(Boolean) : undefined
}

function findSecrets(text: string): string[] {
  return PATTERNS.flatMap(([what, pattern]) =>
    [...text.matchAll(pattern)]
      .filter(([found]) => !MADE_UP.test(found))
      .map(([found]) => `${what}: ${found.slice(0, 12)}…`),
  )
}

test.runIf(FILES)('no file in git holds one', () => {
  const files = FILES ?? []
  const found = files
    .filter((file) => file !== 'package-lock.json')
    .flatMap((file) => {
      const path = join(ROOT, file)
      // A file that was just removed is still listed.
      const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (bytes === 0 || bytes > MAX_BYTES) return []
      return findSecrets(readFileSync(path, 'utf8')).map((what) => `${file}: ${what}`)
    })
  expect(files.length).toBeGreaterThan(100)
  expect(found).toEqual([])
})

test('one of each kind would be found', () => {
  const random = (length: number) => 'q7Zk2Wm9Xc4Vb8Nf3Hj6Lp1Rd5Tg0Ys-_uEiOaQzKwMxCvBnFhJlPrDtGy'.slice(0, length)
  const letters = (length: number) => random(60).replace(/[-_]/g, '').slice(0, length)
  const samples = [
    `712345678:AA${random(33)}`,
    `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\n${random(30)}\n${letters(50)}\n`,
    `sk-${letters(40)}`,
    `ghp_${letters(36)}`,
    `cfut_${letters(40)}`,
    'AKIA' + 'Q7ZK2WM9XC4VB8NF',
    `BSA${random(30)}`,
    `eyJ${letters(20)}.eyJ${letters(20)}.${random(40)}`,
    `privateKey: '0x${'4f1e9a7c0b2d8e63'.repeat(4)}'`,
    `{"kty":"OKP","d":"${random(43)}"}`,
    `LIBERTAI_API_${'KEY'}=${letters(24)}`,
  ]
  expect(samples.map((sample) => findSecrets(sample).length > 0)).toEqual(samples.map(() => true))
  expect(PATTERNS).toHaveLength(samples.length)
})

test.runIf(FILES)('no folder that holds state or settings is in git', () => {
  const kept =
    /(^|\/)(\.data|\.wrangler|node_modules|dist)\/|(^|\/)\.(dev\.vars|env)(\.(?!example)[\w.]+)?$|\.(pem|key|p12|sqlite|db)$/
  expect(FILES?.filter((file) => kept.test(file))).toEqual([])
})
