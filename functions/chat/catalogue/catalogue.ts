/** Which words for whom: what a person chose, else what Telegram says, else English. */
import { chinese } from './chinese.ts'
import { type Catalogue, english } from './english.ts'
import { french } from './french.ts'
import { russian } from './russian.ts'
import { spanish } from './spanish.ts'

const CATALOGUES = { en: english, fr: french, es: spanish, ru: russian, zh: chinese } satisfies Record<
  string,
  Catalogue
>

export type Language = keyof typeof CATALOGUES

export const LANGUAGES: readonly Language[] = ['en', 'fr', 'es', 'ru', 'zh']

export function isLanguage(code: string): code is Language {
  return Object.hasOwn(CATALOGUES, code)
}

/** @param person IETF tags (`pt-br`); region and script do not matter to us */
export function languageOf(person: {
  readonly languageOverride?: string | null
  readonly languageCode?: string | null
}): Language {
  for (const tag of [person.languageOverride, person.languageCode]) {
    const base = tag?.toLowerCase().split(/[-_]/)[0] ?? ''
    if (isLanguage(base)) return base
  }
  return 'en'
}

export function wordsFor(language: Language): Catalogue {
  return CATALOGUES[language]
}

/** A text by a key that comes from elsewhere (a step, an error code): `undefined` when the catalogue does not know it. */
export function lookUp(texts: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(texts, key) ? texts[key] : undefined
}
