import { GrammyError, HttpError } from 'grammy'
import { describe, expect, test } from 'vitest'
import { classifyFailure } from './telegram-failure.ts'

const answer = (error_code: number, description: string, parameters: object = {}, method = 'sendMessage') =>
  new GrammyError('Call failed', { ok: false, error_code, description, parameters }, method, {})

describe('classifyFailure', () => {
  test.each([
    [
      400,
      'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      'not_modified',
    ],
    [400, 'Bad Request: TOPIC_NOT_MODIFIED', 'not_modified'],
    [400, 'Bad Request: message thread not found', 'thread_gone'],
    [400, 'Bad Request: message to be replied not found', 'reply_gone'],
    [400, 'Bad Request: REPLY_MESSAGE_ID_INVALID', 'reply_gone'],
    [400, 'Bad Request: not enough rights to send text messages to the chat', 'blocked'],
    [400, 'Bad Request: CHAT_SEND_PLAIN_FORBIDDEN', 'blocked'],
    [400, 'Bad Request: CHAT_SEND_DOCS_FORBIDDEN', 'refused'],
    // A 403 of capitals alone reaches us as a 400.
    [400, 'Bad Request: INPUT_USER_DEACTIVATED', 'blocked'],
    [400, 'Bad Request: CHANNEL_PRIVATE', 'blocked'],
    [400, 'Bad Request: USER_IS_BLOCKED', 'blocked'],
    [400, 'Bad Request: not enough rights to send documents to the chat', 'refused'],
    [400, 'Bad Request: not enough rights to send photos to the chat', 'refused'],
    [400, 'Bad Request: message to edit not found', 'target_gone'],
    [400, "Bad Request: message can't be edited", 'target_gone'],
    [400, 'Bad Request: TEXTDRAFT_PEER_INVALID', 'drafts_refused'],
    [400, 'Bad Request: query is too old and response timeout expired or query ID is invalid', 'query_too_old'],
    [400, 'Bad Request: chat not found', 'chat_gone'],
    [400, "Bad Request: can't parse entities: Unmatched end tag", 'refused'],
    [400, 'Bad Request: message is too long', 'refused'],
    [401, 'Unauthorized', 'unauthorized'],
    [403, 'Forbidden: bot was blocked by the user', 'blocked'],
    [403, 'Forbidden: user is deactivated', 'blocked'],
    [404, 'Not Found', 'unauthorized'],
    [413, 'Request Entity Too Large', 'too_large'],
    [500, 'Internal Server Error: restart', 'unknown'],
    [502, 'Bad Gateway', 'unknown'],
  ])('%i %s: %s', (code, description, kind) => {
    expect(classifyFailure(answer(code, description)).kind).toBe(kind)
  })

  test('knows how long to be silent, and guesses when Telegram does not say', () => {
    expect(classifyFailure(answer(429, 'Too Many Requests: retry after 7', { retry_after: 7 })).retryAfterMs).toBe(
      7_000,
    )
    expect(classifyFailure(answer(429, 'Too Many Requests')).retryAfterMs).toBeGreaterThan(0)
  })

  test('knows where a group went', () => {
    const failure = classifyFailure(answer(400, 'Bad Request: group chat was upgraded', { migrate_to_chat_id: -1009 }))
    expect(failure).toMatchObject({ kind: 'migrated', migratedTo: -1009 })
  })

  test('takes a Bot API without drafts for one that refuses them', () => {
    const failure = classifyFailure(answer(404, 'Not Found: method not found', {}, 'sendMessageDraft'))
    expect(failure.kind).toBe('drafts_refused')
  })

  test('does not know what a broken connection did, and never shows the token', () => {
    const token = '123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const inner = new TypeError(`fetch failed: https://api.telegram.org/bot${token}/sendMessage`)
    const failure = classifyFailure(new HttpError("Network request for 'sendMessage' failed!", inner))
    expect(failure.kind).toBe('unknown')
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain(token)
  })
})
