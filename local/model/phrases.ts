/** What the scripted brain says. Variety of Markdown on purpose: it is also what the chat's formatting is tried with. */

export const INTRODUCTION_NOTE =
  "_(I'm a scripted stand-in for a model. Put `LIBERTAI_API_KEY=…` into `.dev.vars` and start again to talk to a real one.)_"

export const SMALL_TALK: readonly string[] = [
  "I'm {name}. As a stand-in I understand only a few plain requests, for example:\n\n- run `uname -a`\n- list my files\n- remind me to stretch in 1 minute\n- write a long story",
  'You said: “{request}”\n\nA real model would have something clever to say here. I can **run commands**, *write files* and `remember` things.',
  '### Noted\n\n1. You wrote to me.\n2. I read it.\n3. This is my answer.\n\n> Ask me to run something, and I will.',
  'Good question. Here is what I can do with it:\n\n| you say | I do |\n|---|---|\n| run `date` | a command |\n| read notes.txt | a file |\n| remember that … | a note |',
]

const SECTIONS = [
  'The machine woke up at six, as it always did, and found that nothing had changed except the date.',
  'It had one small disk, two processes that kept each other company, and a list of things to do that nobody had read for a while.',
  'Somebody asked it a question. It thought about the question for the usual time, which is to say for as long as the tokens lasted.',
  'Outside, other machines were talking about the weather. Ours preferred to write things down, one line at a time, so that it would not forget.',
  'By noon the file had grown to forty lines. **Forty!** It read them all again and was rather pleased with the thirty-first.',
]

export const LONG_ANSWER = [
  '# A long story',
  ...Array.from({ length: 12 }, (_, chapter) =>
    [
      `## Chapter ${chapter + 1}`,
      ...SECTIONS.map((sentence, index) => (index % 2 === chapter % 2 ? sentence : `${sentence} And so it went on.`)),
      '```python\ndef next_line(lines: list[str]) -> str:\n    return lines[-1] + "…"\n```',
    ].join('\n\n'),
  ),
  '*The end.*',
].join('\n\n')
