import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findTasks } from '../background/heartbeat.ts'
import { makeFolder } from '../tools/tool-runner.fixture.ts'
import { parseSkill } from './skill.ts'
import { readSkillSummaries } from './skill-summaries.ts'

const TEMPLATES = join(import.meta.dirname, '../../workspace')

describe('parseSkill', () => {
  test.each([
    ['---\nname: weather\ndescription: Forecasts.\n---\n# Text', { name: 'weather', description: 'Forecasts.' }],
    ["---\r\nname: \"we: ather\"\r\ndescription: 'It''s'\r\n---\r\n", { name: 'we: ather', description: "It's" }],
    ['---\nname: a\ndescription: >-\n  Two\n  lines.\nlicense: MIT\n---\n', { name: 'a', description: 'Two lines.' }],
    ['---\nmetadata:\n  x: 1\n---\nFirst line\nsecond', { name: 'folder', description: 'First line' }],
    ['Just a first line\nmore', { name: 'folder', description: 'Just a first line' }],
    ['\n# Heading first\n', { name: 'folder', description: 'Heading first' }],
    ['', { name: 'folder', description: 'no description' }],
    ['---\nname: never closed', { name: 'folder', description: '---' }],
  ])('reads %j', (text, head) => {
    expect(parseSkill(text, 'folder')).toEqual(head)
  })

  test('a long description is one bounded line', () => {
    const { description } = parseSkill(`---\nname: a\ndescription: ${'x\u{1f600} '.repeat(500)}\n---\n`, 'a')
    expect(description.length).toBeLessThanOrEqual(400)
    expect(description.isWellFormed()).toBe(true)
  })
})

describe('readSkillSummaries', () => {
  test('one line per skill, by name, with the path to read', async () => {
    const workspace = makeFolder()
    for (const [folder, text] of [
      ['b', '---\nname: bee\ndescription: B\n---'],
      ['a', 'plain'],
      ['.hidden', 'x'],
    ] as const) {
      mkdirSync(join(workspace, 'skills', folder), { recursive: true })
      writeFileSync(join(workspace, 'skills', folder, 'SKILL.md'), text)
    }
    mkdirSync(join(workspace, 'skills/empty'))
    mkdirSync(join(workspace, 'skills/linked'))
    symlinkSync('/etc/passwd', join(workspace, 'skills/linked/SKILL.md'))
    expect(await readSkillSummaries(workspace)).toBe('- a (skills/a/SKILL.md): plain\n- bee (skills/b/SKILL.md): B')
    expect(await readSkillSummaries(makeFolder())).toBe('')
  })
})

describe('the templates', () => {
  test('every skill names itself like its folder, says when it is for, and is short', async () => {
    const folders = readdirSync(join(TEMPLATES, 'skills')).sort()
    expect(folders).toEqual(['memory-management', 'reminders', 'summarise', 'weather', 'web-research'])
    for (const folder of folders) {
      const text = readFileSync(join(TEMPLATES, 'skills', folder, 'SKILL.md'), 'utf8')
      const { name, description } = parseSkill(text, 'none')
      expect(name).toBe(folder)
      expect(description).toMatch(/\bfor\b/i)
      expect(text.length).toBeLessThan(3000)
      for (const [, tool] of text.matchAll(/`(\w+_\w+)`/g)) expect(KNOWN_WORDS).toContain(tool)
    }
  })

  test('the heartbeat that a new agent gets costs nothing', () => {
    expect(findTasks(readFileSync(join(TEMPLATES, 'HEARTBEAT.md'), 'utf8'))).toBe('')
  })
})

/** Names in backquotes that a skill may use: tools, their parameters, and words of the weather service. */
const KNOWN_WORDS = [
  'web_search',
  'web_fetch',
  'edit_file',
  'read_file',
  'search_files',
  'send_file',
  'in_minutes',
  'weather_code',
  'forecast_days',
]
