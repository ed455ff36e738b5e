/**
 * Every screen of Baal in the order a person may come upon it: what they type or press, and what they must see then. Walked
 * through the webhook by `commands.test.ts`, and with pictures by `npm run screenshots`. `walked.test.ts` fails when a command
 * or a kind of button is in none of them.
 */
export interface Step {
  /** File name of the picture. */
  readonly name: string
  /** Who does it: the owner, someone who comes by a link, or the owner in a group. */
  readonly by?: 'visitor' | 'group'
  /** `BOT` stands for the bot's name. */
  readonly says?: string
  /** Text on a button, and the kind of its data. */
  readonly presses?: readonly [text: string, kind: string]
  /** Other things people do. */
  readonly does?: 'open the link' | 'edit it' | 'send a file' | 'send an agent'
  /** Telegram loses the bot's next message. */
  readonly loses?: true
  readonly sees: string
  /** And what the visitor sees of it, or the owner of what the visitor does. */
  readonly tells?: string
}

/** For someone whose agent is called Rosa and who talks to it. */
const ALONE: readonly Step[] = [
  { name: 'help', says: '/help', sees: 'What I can do' },
  { name: 'list', says: '/list', sees: 'Your agents' },
  { name: 'card', presses: ['Rosa', 'a:card:'], sees: 'You are talking to it' },
  { name: 'soul', presses: ['Customize', 'a:soul:'], sees: 'Personality:' },
  { name: 'soul-name', presses: ['Name', 'a:name:'], sees: 'A new name for Rosa?' },
  { name: 'soul-name-cancelled', presses: ['Cancel', 'w1:'], sees: 'Cancelled. Nothing was changed.' },
  { name: 'soul-again', says: '/soul', sees: 'Personality:' },
  { name: 'soul-personality', presses: ['Personality', 'a:prompt:'], sees: 'Who shall Rosa be?' },
  { name: 'soul-personality-cancelled', says: '/cancel', sees: 'Cancelled. Nothing was changed.' },
  { name: 'model', says: '/model', sees: 'Which model shall Rosa think with?' },
  { name: 'model-set', presses: ['GLM 4.7', 'model:'], sees: 'Rosa thinks with GLM 4.7' },
  { name: 'status', says: '/status', sees: 'It is waiting for you.' },
  { name: 'verbose', says: '/verbose', sees: 'Its steps are shown' },
  { name: 'verbose-off', presses: ['Hide the steps', 'verbose:off'], sees: 'Its steps are hidden' },
  { name: 'verbose-on', presses: ['Show the steps', 'verbose:on'], sees: 'Its steps are shown' },
  { name: 'memory', says: '/memory', sees: 'Nothing yet.' },
  { name: 'memory-edit', presses: ['Write it', 'a:remember:'], sees: 'What shall Rosa remember?' },
  { name: 'memory-saved', says: 'My cat is called Mimi.', sees: 'Saved. It counts' },
  { name: 'memory-shown', says: '/memory', sees: 'Mimi' },
  { name: 'memory-forget', presses: ['Forget everything', 'a:forget:'], sees: 'Shall Rosa forget everything' },
  { name: 'memory-forgotten', presses: ['Yes, forget', 'a:forget!:'], sees: 'Forgotten.' },
  { name: 'files', says: '/files', sees: 'Files of Rosa' },
  { name: 'files-folder', presses: ['skills', 'f:'], sees: '· skills' },
  { name: 'files-up', presses: ['Up', 'f:'], sees: 'Files of Rosa' },
  { name: 'schedule', says: '/schedule', sees: 'What Rosa has planned' },
  { name: 'share', says: '/share', sees: 'Who can talk to Rosa' },
  { name: 'share-new', presses: ['New link', 'a:newlink:'], sees: 'A link to Rosa' },
  { name: 'share-changed', presses: ['no need to ask me', 'w1:'], sees: 'A link to Rosa' },
  { name: 'share-link', presses: ['Create link', 'w1:'], sees: 'start=' },
  { name: 'share-paused', presses: ['Pause', 'l:pause:'], sees: 'paused' },
  { name: 'share-resumed', presses: ['Open again', 'l:resume:'], sees: 'start=' },
  { name: 'share-list', says: '/share', sees: '7 days left' },
  { name: 'share-people', presses: ['People', 'a:people:'], sees: 'Who can talk to Rosa' },
  { name: 'share-closed', says: '/share close 1', sees: 'Only you.' },
  { name: 'share-typed', says: '/share dance', sees: 'You can type it too' },
  { name: 'account', says: '/account', sees: 'Your account' },
  { name: 'settings', says: '/settings', sees: 'Your account' },
  { name: 'usage', presses: ['Use', 'c:usage'], sees: 'Use in the last 7 days' },
  { name: 'usage-typed', says: '/usage', sees: 'Use in the last 7 days' },
  { name: 'login', says: '/login', sees: 'Send it as your next message' },
  { name: 'login-malformed', says: 'no key', sees: 'does not look like a key' },
  { name: 'logout', says: '/logout', sees: 'no key of your own' },
  { name: 'language', says: '/language', sees: 'Which language shall I speak?' },
  { name: 'language-french', presses: ['Français', 'lang:'], sees: 'Je parle français' },
  { name: 'help-french', says: '/help', sees: 'Ce que je sais faire' },
  { name: 'language-english', says: '/language en', sees: 'I speak English now.' },
  { name: 'timezone', says: '/timezone', sees: 'Your time zone' },
  { name: 'timezone-set', presses: ['London', 'tz:'], sees: 'Your time zone is Europe/London' },
  { name: 'privacy', says: '/privacy', sees: 'who can read it' },
  { name: 'doctor', says: '/doctor', sees: 'Its computer answers.' },
  { name: 'new', says: '/new', sees: 'A new conversation.' },
  { name: 'compact', says: '/compact', sees: 'short already' },
  { name: 'stop', says: '/stop', sees: 'Nothing is running.' },
  { name: 'export', says: '/export', sees: 'Packing Rosa' },
  { name: 'import', says: '/import', sees: 'Send the file that /export made' },
  { name: 'copy', says: '/copy', sees: 'Personality and skills: as those of Rosa' },
  { name: 'copy-name', says: '/back', sees: 'Which model shall Rosa think with?' },
  { name: 'copy-cancelled', presses: ['Cancel', 'w1:'], sees: 'Cancelled. Nothing was changed.' },
  { name: 'create', says: '/create', sees: 'What shall your agent be called?' },
  { name: 'create-purpose', says: 'Max', sees: 'What is Max for?' },
  { name: 'create-model', presses: ['Skip', 'w1:'], sees: 'Which model shall Max think with?' },
  { name: 'create-confirm', presses: ['Qwen', 'w1:'], sees: 'Ready to create' },
  { name: 'create-back', presses: ['Back', 'w1:'], sees: 'Which model shall Max think with?' },
  { name: 'create-cancelled', says: '/cancel', sees: 'Cancelled. Nothing was changed.' },
  { name: 'nothing-to-cancel', says: '/cancel', sees: 'There is nothing to cancel.' },
  { name: 'nothing-to-skip', says: '/skip', sees: 'No menu is open' },
  { name: 'retry', says: '/retry', sees: 'nothing to set up again' },
  { name: 'dashboard', says: '/dashboard', sees: 'That is for the operator' },
  { name: 'pool', says: '/pool', sees: 'That is for the operator' },
  { name: 'unknown', says: '/fly', sees: 'I do not know /fly' },
  { name: 'manage', says: '/manage', sees: 'You left Rosa' },
  { name: 'chat', says: '/chat Rosa', sees: 'You are talking to Rosa' },
  { name: 'leave', says: '/leave', sees: 'You left Rosa' },
  { name: 'start', says: '/start', sees: 'Welcome back' },
]

/** An agent that works, fails, plans and is given files. */
const ANSWERS: readonly Step[] = [
  { name: 'chat-again', says: '/chat Rosa', sees: 'You are talking to Rosa' },
  { name: 'answer', says: 'run `git --version`', sees: 'git version' },
  { name: 'answer-steps', presses: ['Steps', 'steps:'], sees: 'bash' },
  { name: 'steps', says: '/steps', sees: 'bash' },
  { name: 'again', says: '/again', sees: 'git version' },
  { name: 'edited', does: 'edit it', sees: 'Shall it answer the new one?' },
  { name: 'run-again', presses: ['Run again', 'again:'], sees: 'files' },
  { name: 'answer-failed', says: 'refuse to answer', sees: '⚠️' },
  { name: 'answer-retried', presses: ['Retry', 'retry:'], sees: '⚠️' },
  { name: 'planned', says: 'remind me to stretch in 5 hours', sees: 'is set' },
  { name: 'schedule-planned', says: '/schedule', sees: 'stretch' },
  { name: 'schedule-cancelled', presses: ['🗑 Cancel', 's:'], sees: 'Nothing.' },
  { name: 'file', does: 'send a file', sees: 'OK' },
  { name: 'import-offer', does: 'send an agent', sees: 'looks like an exported agent' },
  { name: 'import-not', presses: ['just a file', 'i:file:'], sees: 'OK' },
  { name: 'import-offer-again', does: 'send an agent', sees: 'looks like an exported agent' },
  { name: 'import-refused', presses: ['Into Rosa', 'a:import:'], sees: 'cannot be taken in' },
  { name: 'rich', says: '/rich', sees: 'Do you see a table' },
  { name: 'rich-always', presses: ['always', 'rich:always'], sees: 'All answers are rich' },
  { name: 'rich-sample', says: '/rich', sees: 'Do you see a table' },
  { name: 'rich-auto', presses: ['where it helps', 'rich:auto'], sees: 'Answers are rich messages where' },
  { name: 'rich-last', says: '/rich', sees: 'Do you see a table' },
  { name: 'rich-never', presses: ['keep it plain', 'rich:never'], sees: 'Answers are plain text' },
  { name: 'forget-what', says: '/forget everything', sees: '/forget me' },
  { name: 'forget-me', says: '/forget', sees: 'Forget you?' },
  { name: 'forget-not', presses: ['Cancel', 'f:no'], sees: 'everything stays' },
]

/** Someone comes by a link: asks to be let in, talks, is kept out, leaves. */
const SHARED: readonly Step[] = [
  { name: 'visitor-start', by: 'visitor', says: '/start', sees: 'I give you an AI agent' },
  {
    name: 'visitor-idea',
    by: 'visitor',
    presses: ['Plan my week', 'x:'],
    sees: 'Which model shall Planner think with?',
  },
  { name: 'visitor-cancel', by: 'visitor', presses: ['Cancel', 'w1:'], sees: 'Cancelled.' },
  { name: 'knock-link', says: '/share new ask copy', sees: 'start=' },
  {
    name: 'visitor-waits',
    by: 'visitor',
    does: 'open the link',
    sees: 'lets each person in',
    tells: 'would like to talk to Rosa',
  },
  { name: 'visitor-asks', by: 'visitor', says: 'hello?', sees: 'lets each person in' },
  {
    name: 'knock-admitted',
    presses: ['Let in', 'm:admit:'],
    sees: '0 messages today',
    tells: 'You may talk to Rosa now',
  },
  { name: 'visitor-chat', by: 'visitor', presses: ['Chat', 'a:chat:'], sees: 'You are talking to Rosa' },
  { name: 'visitor-hello', by: 'visitor', presses: ['Who are you?', 'a:hello:'], sees: 'small computer of my own' },
  { name: 'visitor-answer', by: 'visitor', says: 'what is my dog called?', sees: 'here' },
  { name: 'visitor-list', by: 'visitor', says: '/list', sees: 'Shared with you' },
  { name: 'visitor-memory', by: 'visitor', says: '/memory', sees: 'Only the owner' },
  { name: 'visitor-copy', by: 'visitor', presses: ['Make my own copy', 'a:copy:'], sees: 'as those of Rosa' },
  { name: 'visitor-copy-cancelled', by: 'visitor', presses: ['Cancel', 'w1:'], sees: 'Cancelled.' },
  { name: 'link-list', says: '/share', sees: '🔗 Link 1' },
  { name: 'link-shown', presses: ['🔗 Link 1', 'l:show:'], sees: 'start=' },
  { name: 'link-paused', presses: ['Pause', 'l:pause:'], sees: 'paused' },
  { name: 'visitor-paused', by: 'visitor', says: 'hello?', sees: 'taking a break' },
  { name: 'link-open', presses: ['Open again', 'l:resume:'], sees: 'start=' },
  { name: 'people', says: '/share people', sees: '👤' },
  { name: 'people-blocked', presses: ['Block', 'm:block:'], sees: 'blocked' },
  { name: 'visitor-blocked', by: 'visitor', says: 'hello?', sees: 'has closed this agent for you' },
  { name: 'people-unblocked', presses: ['back in', 'm:unblock:'], sees: '👤' },
  { name: 'visitor-list-again', by: 'visitor', says: '/list', sees: 'Shared with you' },
  { name: 'visitor-left', by: 'visitor', presses: ['Leave', 'a:leave:'], sees: 'You have no agent yet.' },
  { name: 'visitor-knocks-again', by: 'visitor', does: 'open the link', sees: 'lets each person in' },
  { name: 'people-waiting', says: '/share people', sees: 'waits to be let in' },
  { name: 'people-refused', presses: ['Refuse', 'm:refuse:'], sees: 'blocked', tells: 'did not let you in' },
  { name: 'link-list-last', says: '/share', sees: '🔗 Link 1' },
  { name: 'link-shown-last', presses: ['🔗 Link 1', 'l:show:'], sees: 'start=' },
  { name: 'link-closed', presses: ['Close this link', 'l:revoke:'], sees: 'Only you.' },
]

const IN_A_GROUP: readonly Step[] = [
  { name: 'group-list', by: 'group', says: '/list@BOT', sees: 'Which agent?' },
  { name: 'group-chat', by: 'group', presses: ['Rosa', 'a:chat:'], sees: 'answers here now' },
  { name: 'group-help', by: 'group', says: '/help@BOT', sees: 'In this group' },
  { name: 'group-private', by: 'group', says: '/account@BOT', sees: 'only in a private chat' },
  { name: 'group-writing', by: 'group', says: '@BOT write a long story', sees: 'A long story' },
  { name: 'group-stopped', by: 'group', presses: ['Stop', 'stop:'], sees: 'Stopped.' },
  { name: 'group-lost', by: 'group', says: '/status@BOT', loses: true, sees: 'I could not make sure' },
  { name: 'group-sent-again', by: 'group', presses: ['Send it again', 'resend:'], sees: 'It is waiting for you.' },
  { name: 'group-lost-again', by: 'group', says: '/status@BOT', loses: true, sees: 'I could not make sure' },
  { name: 'group-resend', by: 'group', says: '/resend@BOT', sees: 'It is waiting for you.' },
]

const GOODBYE: readonly Step[] = [
  { name: 'update', says: '/update Rosa', sees: 'Rosa is up to date' },
  { name: 'repair', says: '/repair Rosa', sees: 'Rosa is repaired' },
  { name: 'delete', says: '/delete Rosa', sees: 'Delete Rosa?' },
  { name: 'delete-kept', presses: ['No, keep it', 'a:card:'], sees: 'Rosa' },
  { name: 'delete-asked', says: '/delete', sees: 'Delete Rosa?' },
  { name: 'deleted', presses: ['Yes, delete it', 'a:delete!:'], sees: 'is gone, with its computer' },
  { name: 'list-empty', says: '/list', sees: 'You have no agent yet.' },
  { name: 'forget-asked', says: '/forget me', sees: 'Forget you?' },
  { name: 'forgotten', presses: ['Yes, forget', 'f:yes'], sees: 'computers are being given back' },
]

export const SCREENS: readonly Step[] = [...ALONE, ...SHARED, ...ANSWERS, ...IN_A_GROUP, ...GOODBYE]
