/** The people who walk through the screens: the owner of an agent, a visitor, and the owner again in a group. */
import { Person } from './person.ts'
import type { Step } from './screens.ts'

export class Walk {
  readonly owner: Person
  readonly visitor: Person
  readonly group: Person
  readonly #botName: string
  #link = ''

  private constructor(people: { owner: Person; visitor: Person; group: Person }, botName: string) {
    this.owner = people.owner
    this.visitor = people.visitor
    this.group = people.group
    this.#botName = botName
  }

  /** The owner's agent is called Rosa, and talks to them. */
  static async begin(pageUrl: string): Promise<Walk> {
    const owner = await Person.meet(pageUrl)
    await owner.createAgent('Rosa')
    const visitor = await Person.meet(pageUrl, 1)
    return new Walk({ owner, visitor, group: await owner.opensGroup('Friends') }, await owner.botName())
  }

  /** @returns what the one who did it was shown */
  async take(step: Step): Promise<string> {
    const person = this.who(step)
    const other = step.by === 'visitor' ? this.owner : this.visitor
    const act = () => person.shows(() => this.#act(person, step), step.sees)
    let shown = ''
    if (step.tells === undefined) shown = await act()
    else
      await other.shows(async () => {
        shown = await act()
      }, step.tells)
    this.#link = /start=([\w-]+)/.exec(shown)?.[1] ?? this.#link
    return shown
  }

  who({ by }: Pick<Step, 'by'>): Person {
    return by === undefined ? this.owner : this[by]
  }

  async #act(person: Person, { says, presses, does, loses }: Step): Promise<unknown> {
    if (loses) await person.loseNextMessage()
    if (says !== undefined) return person.say(says.replace('BOT', this.#botName))
    if (presses) {
      const [text, kind] = presses
      const data = await person.press(text)
      if (!data.startsWith(kind)) throw new Error(`“${text}” sends ${data}, not ${kind}`)
      return data
    }
    switch (does) {
      case 'open the link':
        return person.start(this.#link)
      case 'edit it':
        return person.edit('list my files')
      case 'send a file':
        return person.sendFile('notes.txt', 'milk')
      case 'send an agent':
        return person.sendFile('rosa.agent.tar.gz', 'not really')
      case undefined:
        throw new Error('a step in which nobody does anything')
    }
  }
}
