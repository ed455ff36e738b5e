import { expect, test } from 'vitest'
import { kindOf, kindsOf, registered, standsForCommand } from './registered.ts'

test('a pattern gives the kinds of buttons that it takes', () => {
  expect(kindsOf('f:no')).toEqual(['f:no'])
  expect(kindsOf(/^a:delete!:([a-z0-9]{1,32})$/)).toEqual(['a:delete!:'])
  expect(kindsOf(/^rich:(auto|always|never)$/)).toEqual(['rich:auto', 'rich:always', 'rich:never'])
  expect(kindsOf(/^l:(show|pause):([a-z0-9]{1,32})$/)).toEqual(['l:show:', 'l:pause:'])
  expect(kindsOf(/^lang:([a-z]{2}|auto)$/)).toEqual(['lang:'])
})

test('what the router and delivery know is all there, each kind with a beginning of its own', () => {
  const all = registered()
  expect(all.commands).toEqual(expect.arrayContaining(['start', 'share', 'again', 'steps', 'back', 'skip', 'pool']))
  expect(all.buttons).toEqual(expect.arrayContaining(['c:list', 'a:export:', 'w1:', 'f:', 'f:yes', 'resend:', 'stop:']))
  expect(all.buttons.filter((kind) => kind === '')).toEqual([])
  expect(all.commands.filter((command) => !all.buttons.includes(`c:${command}`))).toEqual([])
  expect(standsForCommand('a:export:', all)).toBe(true)
  expect(standsForCommand('a:delete!:', all)).toBe(false)
  expect(kindOf('f:yes', all)).toBe('f:yes')
  expect(kindOf('f:abc:0', all)).toBe('f:')
  expect(kindOf('nonsense', all)).toBeUndefined()
})
