import { expect, test } from 'vitest'
import { readNews } from './update-news.ts'

const chat = { type: 'supergroup', is_forum: true }

test.each([
  [{ message: { message_id: 5, chat: { type: 'private' } } }, { messageId: 5, isForum: false }],
  [{ message: { message_id: 5, chat } }, { isForum: true }],
  [{ message: { message_id: 5, chat: { type: 'group' }, migrate_to_chat_id: -1009 } }, { migratedTo: -1009 }],
  [{ my_chat_member: { new_chat_member: { status: 'kicked' } } }, { isClosed: true, isHeard: false }],
  [{ my_chat_member: { new_chat_member: { status: 'member' } } }, { isClosed: false, isHeard: true }],
  [{ callback_query: { id: '1' } }, { isHeard: true }],
  [{ edited_message: { message_id: 5 } }, { isHeard: false }],
  [
    { message: 'no message', my_chat_member: 7 },
    { messageId: undefined, isClosed: false },
  ],
  [undefined, { isClosed: false }],
])('reads %j', (update, news) => {
  expect(readNews(update)).toMatchObject(news)
})
