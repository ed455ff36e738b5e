/**
 * The schema, one entry per version (`PRAGMA user_version`). An entry that was released is never edited: add another.
 * Before the first of them changes a database, that is kept as it is (`former-database.ts`).
 *
 * - `messages`: every row ever said, by `history_id`; `compacted=1` rows no longer go to the model but stay searchable.
 * - `histories`: per history the frozen system prompt, the last real usage figure, the state of compaction.
 * - `turns`, `events`, `tool_calls`, `steers`: the journal of turns; kept `TURN_KEEP_MS`.
 * - `pending`: results of background work until acknowledged, and until the model of that chat was told.
 * - `settings`: what `PUT /config` changed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    history_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    role TEXT NOT NULL,
    body TEXT NOT NULL,
    text TEXT NOT NULL,
    compacted INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
  );
  CREATE INDEX messages_live ON messages (history_id, id) WHERE compacted = 0;
  CREATE INDEX messages_history ON messages (history_id, id);
  CREATE VIRTUAL TABLE messages_search USING fts5(text, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2');
  CREATE TRIGGER messages_added AFTER INSERT ON messages WHEN new.text <> '' BEGIN
    INSERT INTO messages_search (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN old.text <> '' BEGIN
    INSERT INTO messages_search (messages_search, rowid, text) VALUES ('delete', old.id, old.text);
  END;

  CREATE TABLE histories (
    history_id TEXT PRIMARY KEY,
    chat_id TEXT NOT NULL,
    system_prompt TEXT NOT NULL DEFAULT '',
    prompt_revision TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL DEFAULT '',
    used_tokens INTEGER NOT NULL DEFAULT 0,
    used_up_to INTEGER NOT NULL DEFAULT 0,
    failed_compactions INTEGER NOT NULL DEFAULT 0,
    compact_after INTEGER NOT NULL DEFAULT 0,
    active_at INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX histories_chat ON histories (chat_id);

  CREATE TABLE turns (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id TEXT NOT NULL UNIQUE,
    chat_id TEXT NOT NULL,
    history_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    request TEXT NOT NULL,
    phase TEXT NOT NULL,
    iterations INTEGER NOT NULL DEFAULT 0,
    resumes INTEGER NOT NULL DEFAULT 0,
    next_event INTEGER NOT NULL DEFAULT 2,
    done_reason TEXT,
    ended_at INTEGER
  );
  CREATE INDEX turns_open ON turns (seq) WHERE phase <> 'done';
  CREATE INDEX turns_ended ON turns (ended_at) WHERE ended_at IS NOT NULL;
  CREATE TABLE events (
    turn_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (turn_id, id)
  ) WITHOUT ROWID;
  CREATE TABLE tool_calls (
    turn_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    call TEXT NOT NULL,
    state TEXT NOT NULL,
    result TEXT,
    PRIMARY KEY (turn_id, position)
  ) WITHOUT ROWID;
  CREATE TABLE steers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id TEXT NOT NULL,
    steer_id TEXT UNIQUE,
    message TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX steers_waiting ON steers (turn_id, id) WHERE taken = 0;

  CREATE TABLE pending (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id TEXT NOT NULL,
    history_id TEXT NOT NULL,
    content TEXT NOT NULL,
    source TEXT NOT NULL,
    file TEXT,
    created_at TEXT NOT NULL,
    acknowledged_at INTEGER,
    told INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX pending_waiting ON pending (id) WHERE acknowledged_at IS NULL;
  CREATE INDEX pending_untold ON pending (history_id, id) WHERE told = 0;

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    configured TEXT NOT NULL
  ) WITHOUT ROWID
  `,
]
