/** The walk of `commands.test.ts` against what there is to walk: a command or a kind of button that is new must be in it. */
import { expect, test } from 'vitest'
import { registered, standsForCommand } from '../../functions/chat/testing/registered.ts'
import { SCREENS } from './screens.ts'

const all = registered()

test('every command is typed in the walk', () => {
  const typed = SCREENS.flatMap(({ says }) => /^\/(\w+)/.exec(says ?? '')?.[1] ?? [])
  expect(all.commands.filter((command) => !typed.includes(command))).toEqual([])
})

test('every kind of button is pressed in the walk, or does what a typed command does', () => {
  const pressed = SCREENS.flatMap(({ presses }) => (presses ? [presses[1]] : []))
  expect(all.buttons.filter((kind) => !pressed.includes(kind) && !standsForCommand(kind, all))).toEqual([])
  // And none that is not there any more.
  expect(pressed.filter((kind) => !all.buttons.includes(kind))).toEqual([])
})

test('no two screens have one name', () => {
  const names = SCREENS.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
