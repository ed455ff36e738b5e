/** The skills of the workspace in one line each; the texts are read by the agent when it needs them. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFile } from '../memory/small-file.ts'
import { parseSkill } from './skill.ts'

const SKILLS_FOLDER = 'skills'
const MAX_SKILLS = 60
const MAX_HEAD_BYTES = 8192

/** @returns `- name (skills/name/SKILL.md): description` per skill, by name; empty when there are none */
export async function readSkillSummaries(workspacePath: string): Promise<string> {
  const folders = await readdir(join(workspacePath, SKILLS_FOLDER)).catch((): string[] => [])
  const lines = await Promise.all(
    folders
      .filter((folder) => !folder.startsWith('.'))
      .sort()
      .slice(0, MAX_SKILLS)
      .map((folder) => summarise(workspacePath, folder)),
  )
  return lines.filter(Boolean).join('\n')
}

async function summarise(workspacePath: string, folder: string): Promise<string> {
  const path = `${SKILLS_FOLDER}/${folder}/SKILL.md`
  const text = await readSmallFile(workspacePath, path, MAX_HEAD_BYTES)
  if (text === undefined) return ''
  const { name, description } = parseSkill(text, folder)
  return `- ${name} (${path}): ${description}`
}
