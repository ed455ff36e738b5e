import { describe, expect, test } from 'vitest'
import { RunnerErrorCode, StepName } from '../../../deploy-runner/protocol.ts'
import { LANGUAGES, languageOf, lookUp, wordsFor } from './catalogue.ts'
import { renderElapsed, renderSpan } from './duration.ts'
import { plural } from './plural.ts'

/** Every key with the kind of its value; functions as such. */
function shapeOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path}:${typeof value}`]
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${path}.${key}`))
}

describe.each(LANGUAGES.filter((language) => language !== 'en'))('the catalogue in %s', (language) => {
  test('has every key of the English one and no other', () => {
    expect(shapeOf(wordsFor(language)).toSorted()).toEqual(shapeOf(wordsFor('en')).toSorted())
  })

  test('is translated', () => {
    const sentences = (words: object) =>
      Object.values(words).flatMap((part) => Object.values(part as object).filter((text) => typeof text === 'string'))
    const english = sentences(wordsFor('en'))
    const same = sentences(wordsFor(language)).filter(
      (text, index) => text === english[index] && text.split(' ').length > 1,
    )
    expect(same).toEqual([])
  })
})

test('a person’s choice goes before Telegram’s language, and English speaks to everybody else', () => {
  expect(languageOf({ languageCode: 'fr-CA' })).toBe('fr')
  expect(languageOf({ languageCode: 'zh-hans' })).toBe('zh')
  expect(languageOf({ languageCode: 'fr', languageOverride: 'ru' })).toBe('ru')
  expect(languageOf({ languageCode: 'tlh' })).toBe('en')
  expect(languageOf({ languageCode: 'constructor' })).toBe('en')
  expect(languageOf({ languageCode: null })).toBe('en')
})

test('unknown keys are not found, whatever they are called', () => {
  const { steps } = wordsFor('en').deploy
  expect(lookUp(steps, 'packages')).toBe('Installing what it needs')
  expect(lookUp(steps, 'toString')).toBeUndefined()
})

test('whatever the deploy-runner does or fails at has words', () => {
  const { steps, errors } = wordsFor('en').deploy
  expect(StepName.options.filter((step) => lookUp(steps, step) === undefined)).toEqual([])
  // What a caller did wrong is nothing to tell a person apart from "internal".
  const told = RunnerErrorCode.options.filter((code) => code !== 'bad_request')
  expect(told.filter((code) => lookUp(errors, code) === undefined)).toEqual([])
})

test('numbers bend words as each language does', () => {
  const words = { one: 'сообщение', few: 'сообщения', many: 'сообщений', other: '?' }
  expect([1, 2, 5, 21].map((count) => plural('ru', count, words))).toEqual([
    'сообщение',
    'сообщения',
    'сообщений',
    'сообщение',
  ])
})

test('spans are told roughly and never as nothing', () => {
  const words = wordsFor('en')
  expect(renderElapsed(125_000, words)).toBe('2 min 5 s')
  expect(renderElapsed(-5, words)).toBe('0 s')
  expect(renderSpan(1, words)).toBe('1 minute')
  expect(renderSpan(5 * 3_600_000, words)).toBe('5 hours')
  expect(renderSpan(7 * 86_400_000, words)).toBe('7 days')
})
