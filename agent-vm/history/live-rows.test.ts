import { describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../storage/database.ts'
import { createHistory } from './history.ts'

/** What is kept at hand must never differ from what is in the database. */
describe('the live rows of a chat', () => {
  function start() {
    const database = openDatabase(':memory:')
    onTestFinished(() => database.close())
    const history = createHistory(database)
    for (const id of ['one', 'two']) history.ensure(id, id)
    const say = (id: string, content: string) => history.append(id, 'turn', [{ role: 'user', content }])[0]?.id ?? 0
    const read = (id = 'one') => history.live(id).map(({ message }) => message.content)
    return { database, history, say, read }
  }

  test('are what was said, in its order, also what was said since the last look', () => {
    const { say, read } = start()
    say('one', 'a')
    expect(read()).toEqual(['a'])
    say('two', 'x')
    say('one', 'b')
    expect(read()).toEqual(['a', 'b'])
    expect(read('two')).toEqual(['x'])
    expect(read()).toEqual(['a', 'b'])
  })

  test('lose what was compacted, at the beginning or whole', () => {
    const { history, say, read } = start()
    const first = say('one', 'a')
    const last = say('one', 'b')
    read()
    history.markCompacted('one', first)
    expect(read()).toEqual(['b'])
    say('one', 'c')
    history.markCompacted('one', last)
    expect(read()).toEqual(['c'])
  })

  test('show a shortened row as it is now', () => {
    const { history, say, read } = start()
    const id = say('one', 'a long story')
    read()
    history.shorten(id, { role: 'user', content: 'a story' })
    expect(read()).toEqual(['a story'])
  })

  test('are gone when the chat is cleared, and another history under the same name is not mistaken for it', () => {
    const { database, history, say, read } = start()
    say('one', 'a')
    say('one', 'b')
    read()
    history.clear('one')
    expect(read()).toEqual([])
    say('one', 'c')
    read()
    // As an import does it.
    database.prepare('DELETE FROM messages').run()
    say('one', 'd')
    expect(read()).toEqual(['d'])
  })

  test('are the same when the history is too long to be kept', () => {
    const { say, read } = start()
    const long = 'x'.repeat(600_000)
    say('one', long)
    read()
    say('one', long)
    read()
    say('one', 'c')
    expect(read().map(({ length }) => length)).toEqual([600_000, 600_000, 1])
  })
})
