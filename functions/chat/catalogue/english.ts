/**
 * Everything Baal says, in English: the complete catalogue, whose shape (`Catalogue`) every other language must have.
 * One long list on purpose: a sentence is found by reading down, and translators work with two files side by side.
 */
import type { Summary } from '../../metrics/summary.ts'
import type { FormattedText } from '../text/formatted-text.ts'
import { bold, code, fmt, type Phrase } from './format.ts'
import { plural } from './plural.ts'

const n = (count: number, one: string, other: string) => `${count} ${plural('en', count, { one, other })}`

export const english = {
  buttons: {
    create: '➕ Create an agent',
    createConfirm: '🚀 Create',
    back: '‹ Back',
    cancel: 'Cancel',
    skip: 'Skip',
    list: 'My agents',
    help: 'Help',
    chat: '💬 Chat',
    update: '⬆️ Update',
    repair: '🔧 Repair',
    customize: '🎭 Customize',
    share: '🔗 Share',
    delete: '🗑 Delete',
    deleteConfirm: 'Yes, delete it',
    keep: 'No, keep it',
    retry: '🔁 Try again',
    name: 'Name',
    personality: 'Personality',
    model: 'Model',
    runAgain: '🔁 Run again',
    useOwnKey: '🔑 Use my own key',
    newLink: '➕ New link',
    createLink: 'Create link',
    copyLink: '📋 Copy',
    sendLink: '📤 Send to someone',
    revoke: 'Close this link',
    people: '👥 People',
    leave: 'Leave',
    block: (name: string) => `🚫 Block ${name}`,
    unblock: (name: string) => `✅ Let ${name} back in`,
    edit: '✏️ Rewrite',
    write: '✏️ Write it',
    memory: '🧠 Memory',
    files: '📁 Files',
    schedule: '🗓 Plans',
    openPrivate: '💬 Open our private chat',
    forget: '🧽 Forget everything',
    forgetConfirm: 'Yes, forget',
    automatic: 'As in Telegram',
    compact: '🗜 Compact',
    newChat: '🆕 New conversation',
    logout: 'Remove my key',
    hideSteps: 'Hide the steps',
    showSteps: 'Show the steps',
    up: '⬆ Up',
    language: '🌐 Language',
    timezone: '🕒 Time zone',
    account: 'My account',
    usage: '📊 Use',
    rich: '🖼 Rich answers',
    richAuto: '✅ Yes, where it helps',
    richAlways: '✅ Yes, always',
    richNever: 'No, keep it plain',
    pause: '⏸ Pause',
    resume: '▶️ Open again',
    admit: '✅ Let in',
    refuse: '🚫 Refuse',
    copyAgent: '🧬 Make my own copy',
    hello: '👋 Who are you?',
    cancelTask: (p: { number: number }) => `🗑 Cancel ${p.number}`,
    bringIn: (p: { agent: string }) => `📥 Into ${p.agent}`,
  },
  start: {
    first: (p: { name: string }): FormattedText =>
      fmt`Hi ${bold(p.name)} 👋 I give you an AI agent of your own: it has its own computer, remembers what matters and works while you are away.`,
    tryOne: 'Start with an idea, or make your own:',
    privacy: '🔒 Your agent is private. Only you can talk to it, unless you share it.',
    again: (p: { name: string; agents: number }): FormattedText =>
      fmt`Welcome back, ${bold(p.name)}. You have ${n(p.agents, 'agent', 'agents')}.`,
    group: (p: { bot: string }): FormattedText =>
      fmt`Hello! Pick one of your agents for this group with /list@${p.bot}. Then mention me or reply to me, and it answers.`,
    examples: [
      {
        label: '🗓 Plan my week',
        name: 'Planner',
        purpose: 'Help me plan my days and weeks, keep my to-do list, and remind me of what matters.',
      },
      {
        label: '📚 Teach me a language',
        name: 'Teacher',
        purpose: 'Teach me a language with short daily lessons, talk with me in it, and correct me kindly.',
      },
      {
        label: '💻 Help me code',
        name: 'Coder',
        purpose: 'Help me write, run and fix code, and explain what you do.',
      },
    ],
  },
  visit: {
    /** What the button of that name says to the agent. */
    hello: 'Who are you, and what can you do for me?',
    welcome: (p: { agent: string }): FormattedText =>
      fmt`You are now talking to ${bold(p.agent)}, which was shared with you. Just write.\n\nYour conversation is separate from everyone else’s. The owner sees how much you use it, and could read it. /manage leaves it.`,
    own: (p: { agent: string }): FormattedText => fmt`That is the link of your own agent ${bold(p.agent)}. Just write.`,
    closed: 'This link does not work any more. Ask the person who gave it to you for a new one.',
    full: 'As many people as this link allows are already in. Ask for a new link.',
    blocked: 'The owner has closed this agent for you.',
    waiting: (p: { agent: string }): FormattedText =>
      fmt`The owner of ${bold(p.agent)} lets each person in. I have asked, and tell you here as soon as there is an answer.`,
    paused: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)} is taking a break: its owner has paused the link. Try again later.`,
    admitted: (p: { agent: string }): FormattedText => fmt`You may talk to ${bold(p.agent)} now.`,
    refused: (p: { agent: string }): FormattedText => fmt`The owner of ${bold(p.agent)} did not let you in.`,
  },
  help: {
    group: (p: { bot: string }): FormattedText =>
      fmt`${bold('In this group')}\n\nI answer when someone writes @${p.bot} or replies to me.\n\n/list – bring one of your agents here\n/stop – stop the answer\n/again – ask the same once more\n/steps – what it did for its last answer\n/new – new conversation\n/manage – send the agent away\n\nAll else is in our private chat.`,
    body: (p: { create: boolean }): FormattedText =>
      fmt`${bold('What I can do')}\n\n/create – make an agent\n/list – your agents\n/chat, /manage – talk to another one, leave this one\n\n${bold('While you chat')}\n/stop – stop the answer\n/new – new conversation\n/compact – shorten a long one\n/status – how it is doing${p.create ? '' : '\n/memory, /files, /schedule – what it knows, has and plans'}\n/verbose – show or hide its steps\n/again – ask the same once more\n/steps – what it did for its last answer\n/resend – send again what may be lost${p.create ? '' : fmt`\n\n${bold('Your agent')}\n/soul – name, personality, model\n/share – let others talk to it\n/doctor – why it does not answer, and what helps\n/repair, /update – set it up anew, bring it up to date\n/export, /import – take it with you, bring it back\n/copy – make another one like it\n/delete – delete it`}\n\n${bold('You')}\n/account, /usage, /login, /language, /timezone, /rich\n/privacy – what is kept, and who can read it\n/forget me – forget everything about you${p.create ? '\n\nYou have no agent of your own yet: press the button.' : ''}`,
  },
  wizard: {
    step: (p: { number: number; of: number }) => `Step ${p.number} of ${p.of}`,
    askName: (): FormattedText =>
      fmt`${bold('What shall your agent be called?')}\n\nWrite a name, up to 64 characters.`,
    askPurpose: (p: { name: string }): FormattedText =>
      fmt`${bold(`What is ${p.name} for?`)}\n\nWrite a sentence or two, or skip: then it helps with anything.`,
    askModel: (p: { name: string }): FormattedText => bold(`Which model shall ${p.name} think with?`),
    anyModel: 'Both can do everything. /model changes it later.',
    confirm: (p: { name: string; model: string }): FormattedText =>
      fmt`${bold('Ready to create')}\n\nName: ${bold(p.name)}\nModel: ${p.model}`,
    purpose: 'Purpose:',
    anything: 'Purpose: anything you ask',
    nameEmpty: 'The name is empty. Write one or more characters.',
    nameTooLong: (p: { length: number }) => `That is ${p.length} characters; a name can have 64. Write a shorter one.`,
    textTooLong: (p: { length: number; max: number }) =>
      `That is ${p.length} characters; ${p.max} fit. Write it shorter.`,
    textOnly: 'Please write it as text.',
    modelNotOffered: 'I do not have that model. Choose one of these.',
    pressButton: 'Press one of the buttons, please.',
    cancelled: 'Cancelled. Nothing was changed.',
    expired: 'This menu has expired. Nothing was changed.',
    nothingToCancel: 'There is nothing to cancel.',
    noMenu: 'No menu is open just now.',
    limitReached: (p: { max: number }): FormattedText =>
      fmt`You have ${n(p.max, 'agent', 'agents')}, which is as many as you can have. Delete one first.`,
    copied: (p: { agent: string }) => `Personality and skills: as those of ${p.agent}`,
  },
  models: {
    'qwen3-coder-next': 'quick, good with code and tools',
    'glm-4.7': 'thorough, for long conversations',
  },
  deploy: {
    creating: (p: { name: string }): FormattedText => fmt`Creating ${bold(p.name)}`,
    repairing: (p: { name: string }): FormattedText => fmt`Repairing ${bold(p.name)}`,
    updating: (p: { name: string }): FormattedText => fmt`Updating ${bold(p.name)}`,
    deleting: (p: { name: string }): FormattedText => fmt`Deleting ${bold(p.name)}`,
    ready: (p: { name: string; elapsed: string }): FormattedText => fmt`✅ ${bold(p.name)} is ready (${p.elapsed}).`,
    repaired: (p: { name: string }): FormattedText => fmt`✅ ${bold(p.name)} is repaired and running.`,
    repairedFromCopy: (p: { name: string; span: string }): FormattedText =>
      fmt`✅ ${bold(p.name)} is repaired and runs on a new computer. The old one could not be reached: memory and files are those of ${p.span} ago, what came after could not be saved.`,
    repairedFromNothing: (p: { name: string }): FormattedText =>
      fmt`⚠️ ${bold(p.name)} runs again, on a new computer. The old one could not be reached, and there was no copy: memory and files could not be saved. Name, personality and model are as before.`,
    updated: (p: { name: string }): FormattedText => fmt`✅ ${bold(p.name)} is up to date and running.`,
    deleted: (p: { name: string }): FormattedText =>
      fmt`🗑 ${bold(p.name)} is gone, with its computer and all its files.`,
    failed: (p: { name: string; reason: string }): FormattedText => fmt`⚠️ ${bold(p.name)}: ${p.reason}`,
    deleteFailed: (p: { name: string }): FormattedText =>
      fmt`⚠️ ${bold(p.name)} is closed, but its computer could not be removed yet. I keep trying by myself.`,
    steps: {
      queued: 'Waiting for a place',
      claim: 'Looking for a free computer',
      record: 'Ordering a computer',
      instance: 'Ordering a computer',
      create: 'Ordering a computer',
      placement: 'Finding a place for it',
      boot: 'Waiting for it to start',
      ssh: 'Waiting for it to start',
      deploy: 'Setting it up',
      connect: 'Connecting',
      inspect: 'Looking around',
      packages: 'Installing what it needs',
      users: 'Making it safe',
      runtime: 'Installing its engine',
      bundle: 'Copying the agent',
      workspace: 'Laying out its folders',
      secrets: 'Handing over its keys',
      service: 'Starting the agent',
      ingress: 'Opening its door',
      health: 'Checking that it answers',
      rollback: 'Going back to how it ran',
      settle: 'Keeping what is new',
      key: 'Changing the key to its machine',
      restore: 'Giving it its memory back',
      wipe: 'Erasing its data',
      forget: 'Giving the computer back',
      done: 'Done',
    },
    stepOther: 'Working on it',
    errors: {
      out_of_credit: 'there is no credit for a computer right now. The operator has to top up.',
      no_credit: 'there is no credit for a computer right now. The operator has to top up.',
      rejected: 'the order for a computer was refused. Try again in a minute.',
      core_nodes_unreachable: 'the cloud cannot be reached just now. Nothing is lost: try again in a few minutes.',
      runner_unreachable:
        'the part that sets up computers does not answer just now. Nothing is lost: try again in a minute.',
      no_capacity: 'no computer is free right now. Try again in a few minutes.',
      placement_timeout: 'the computer is slow to start. Nothing is lost: try again.',
      boot_timeout: 'the computer does not start. Nothing is lost: try again.',
      unreachable: 'its computer cannot be reached. Nothing is lost: try again.',
      host_key_mismatch: 'another computer answered in its place, so I stopped. The operator has to look.',
      auth_failed: 'its computer refuses my key. The operator has to look.',
      busy: 'its computer is busy with another task. Try again in a minute.',
      disconnected: 'the connection to its computer broke. Nothing is lost: try again.',
      step_failed: 'setting it up failed at one step. Nothing is lost: try again.',
      unhealthy: 'it was set up but does not answer. Nothing is lost: try again.',
      unreachable_outside:
        'it runs on its computer, but nobody can reach it there from outside. Nothing is lost: try again in a few minutes.',
      timeout: 'it took too long. Nothing is lost: try again.',
      wrong_image: 'the disk image for its computer is not there. Nothing is lost: try again.',
      accept_timeout: 'the cloud is slow to take the order. Nothing is lost: try again.',
      superseded: 'stopped, because something else was decided for it.',
      machine_gone:
        'its computer was taken away. Try again: it gets another one, with the last copy of its memory and files.',
      rolled_back: 'the update did not come up, so it runs as before.',
      rolled_back_outside: 'the update could not be reached from outside, so it runs as before.',
      internal: 'something went wrong on my side. Nothing is lost: try again.',
    },
  },
  duration: {
    seconds: (p: { seconds: number }) => `${p.seconds} s`,
    minutes: (p: { minutes: number; seconds: number }) => `${p.minutes} min ${p.seconds} s`,
    hours: (p: { hours: number }) => n(p.hours, 'hour', 'hours'),
    onlyMinutes: (p: { minutes: number }) => n(p.minutes, 'minute', 'minutes'),
    days: (p: { days: number }) => n(p.days, 'day', 'days'),
  },
  list: {
    title: 'Your agents',
    none: 'You have no agent yet.',
    visited: 'Shared with you',
    current: 'You are talking to it',
    status: 'Status',
    model: 'Model',
    choose: 'Which agent?',
    closed: 'the link is closed',
    waiting: 'waiting for the owner',
    paused: 'paused',
  },
  statuses: {
    creating: 'being created',
    running: 'running',
    failed: 'has a problem',
    deleting: 'being deleted',
    deleted: 'deleted',
  },
  chat: {
    now: (p: { agent: string }): FormattedText => fmt`You are talking to ${bold(p.agent)}. Just write.`,
    left: (p: { agent: string }): FormattedText => fmt`You left ${bold(p.agent)}. It stays as it is.`,
    noAgent: 'You are not talking to an agent now. Choose one:',
    noAgents: 'You have no agent yet. Make one, it takes a minute.',
    notFound: 'That agent does not exist, or it is not yours.',
    gone: 'This agent does not exist any more.',
    starting: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)} is still being created. I tell you here as soon as it is ready.`,
    failed: (p: { agent: string }): FormattedText => fmt`${bold(p.agent)} is not working. Try to repair it.`,
    linkClosed: (p: { agent: string }): FormattedText =>
      fmt`The link to ${bold(p.agent)} has been closed or has expired. Ask its owner for a new one.`,
    groupPrivate: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)} answers here now when someone mentions me or replies to me. In a group it does not use your private memory and files.`,
    unknownCommand: (p: { command: string }): FormattedText => fmt`I do not know ${p.command}. See /help.`,
    onlyPrivate: 'That works only in a private chat with me.',
    ownerOnly: 'Only the owner of this agent can do that.',
    adminOnly: 'That is for the operator of this bot.',
    edited: 'You edited a message that the agent has read already. Shall it answer the new one?',
    editedGone: 'That message is too long ago. Send it again, please.',
    runningAgain: 'Running again',
  },
  toasts: {
    outdated: 'This menu is out of date.',
    notYours: 'This menu belongs to someone else.',
    saved: 'Saved',
    nothing: 'Nothing to do.',
  },
  limits: {
    freeTier: (p: { max: number; left: string }): FormattedText =>
      fmt`Those were today’s ${n(p.max, 'message', 'messages')}. There are new ones in ${p.left} (00:00 UTC), or at once with a key of your own.`,
    link: (p: { max: number; left: string }): FormattedText =>
      fmt`The owner allows you ${n(p.max, 'message', 'messages')} a day, and those are used. There are new ones in ${p.left} (00:00 UTC).`,
  },
  stop: {
    stopped: 'Stopped.',
    nothing: 'Nothing is running.',
  },
  conversation: {
    cleared: 'A new conversation. Memory and files are kept.',
    compacted: 'The conversation is shorter now; what matters is kept.',
    notCompacted: 'The conversation is short already.',
    verboseOn: 'Its steps are shown while it works.',
    verboseOff: 'Its steps are hidden; you see only the answers.',
    noSteps: 'It used no tools for that answer.',
    nothingToRepeat: 'There is no question to ask again yet.',
    nothingToResend: 'Nothing got lost here: there is nothing to send again.',
  },
  status: {
    line: (p: { agent: string; status: string; model: string }): FormattedText =>
      fmt`${bold(p.agent)}: ${p.status}\nModel: ${p.model}`,
    uptime: (p: { uptime: string }) => `It has been running for ${p.uptime}.`,
    working: 'It is working on an answer. /stop stops it.',
    idle: 'It is waiting for you.',
    silent: 'It does not answer at the moment. Try /doctor.',
  },
  soul: {
    card: (p: { agent: string; model: string }): FormattedText =>
      fmt`${bold(p.agent)}\nModel: ${p.model}\n\nPersonality:`,
    askName: (p: { agent: string }): FormattedText =>
      fmt`${bold(`A new name for ${p.agent}?`)}\n\nUp to 64 characters.`,
    askPersonality: (p: { agent: string }): FormattedText =>
      fmt`${bold(`Who shall ${p.agent} be?`)}\n\nDescribe how it should behave, and what it is for. This replaces what is there now.`,
    saved: (p: { agent: string }): FormattedText => fmt`Saved. ${bold(p.agent)} follows it from your next message on.`,
    chooseModel: (p: { agent: string }): FormattedText => fmt`${bold(`Which model shall ${p.agent} think with?`)}`,
    modelSet: (p: { agent: string; model: string }): FormattedText =>
      fmt`${bold(p.agent)} thinks with ${bold(p.model)} from your next message on.`,
  },
  privacy: {
    body: (): FormattedText =>
      fmt`${bold('What is kept, and who can read it')}\n\n• What you write passes through Telegram and through me, and goes to LibertAI, whose model your agent thinks with. With me it stays for two days.\n• Your agent keeps the conversation, its memory and your files on its own computer, and I keep a copy for when that breaks.\n• I also keep your first name, your settings, and counts of what you use.\n• Visitors of an agent that you share never see your memory or files.\n• An agent that was shared with you keeps your conversation with it, and its owner could read that.\n• The operator of this bot, and whoever runs its machines, could read all of this. Do not write here what they must not know.\n• Keys are sealed and shown to nobody.\n\n/export – take it with you\n/new – clear the conversation\n/forget me – delete everything`,
  },
  forget: {
    usage:
      '“/forget me” makes me forget you: your agents, their computers, everything I know. /memory is for what one agent remembers.',
    confirm: (p: { agents: number }): FormattedText =>
      fmt`${bold('Forget you?')}\n\n${p.agents > 0 ? `Your ${n(p.agents, 'agent', 'agents')} with computer, files and memory, your` : 'Your'} links, your key and settings, and what was written here are deleted for good.${p.agents > 0 ? ' /export saves an agent first.' : ''}`,
    begun: 'Good. Your agents’ computers are being given back; after that I forget the rest, within minutes.',
    done: 'It is done: I know nothing of you any more. What you see above is Telegram’s copy, which only you can clear.',
    kept: 'Good, everything stays.',
  },
  delete: {
    confirm: (p: { agent: string }): FormattedText =>
      fmt`${bold(`Delete ${p.agent}?`)}\n\nIts computer, files, memory and links are deleted for good. /export saves a copy first.`,
  },
  repair: {
    notNow: (p: { agent: string }): FormattedText => fmt`${bold(p.agent)} is being worked on already.`,
    runs: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)} is running: nothing to set up again. /again asks your last question once more.`,
  },
  share: {
    number: (p: { number: number }) => `🔗 Link ${p.number}`,
    title: (p: { agent: string }): FormattedText => fmt`${bold(`Who can talk to ${p.agent}`)}`,
    onlyYou:
      'Only you. A link lets others in: each with a conversation and a folder of their own, without your memory and files.',
    days: (p: { days: number }) => (p.days ? n(p.days, 'day', 'days') : 'for ever'),
    people: (p: { people: number }) => (p.people ? n(p.people, 'person', 'people') : 'anyone'),
    link: (p: { agent: string; url: string; terms: string }): FormattedText =>
      fmt`🔗 ${bold(p.agent)}\n${p.url}\n\n${p.terms}`,
    expires: (p: { left: string }) => `${p.left} left`,
    invitation: (p: { agent: string }) => `Talk to ${p.agent}:`,
    revoked: 'The link is closed. Who came by it is out too.',
    noPeople: 'Nobody has come yet.',
    asked: 'I let each person in',
    notAsked: 'no need to ask me',
    copies: 'may make a copy',
    noCopies: 'no copies',
    paused: 'paused',
    pausedNow: 'Paused: nobody gets through by this link until you open it again.',
    resumed: 'The link is open again.',
    full: 'As many people as this link allows are already in.',
    noSuchLink: 'There is no open link of that number. These are there:',
    noSuchPerson: 'I do not find one person of that name here. Use the buttons:',
    typed: (): FormattedText =>
      fmt`You can type it too: ${code('/share new 7d 5p 30m web ask copy')} (days, people, messages; tools: ${code('chat')}, ${code('web')} or ${code('workspace')}), ${code('/share pause 1')}, ${code('resume 1')}, ${code('close 1')}, ${code('/share people')}, ${code('/share block NAME')}.`,
    knocks: (p: { name: string; agent: string }): FormattedText =>
      fmt`✋ ${bold(p.name)} has your link and would like to talk to ${bold(p.agent)}.`,
    waitingPerson: (p: { name: string }): FormattedText => fmt`✋ ${bold(p.name)}: waits to be let in`,
    blockedPerson: (p: { name: string }): FormattedText => fmt`🚫 ${bold(p.name)}: blocked`,
    tools: { chat: 'talk only', web: 'talk and the web', workspace: 'talk, web and own files' },
    person: (p: { name: string; today: number; week: number }): FormattedText =>
      fmt`👤 ${bold(p.name)}: ${n(p.today, 'message', 'messages')} today, ${p.week} in 7 days`,
    messages: (p: { messages: number }) =>
      p.messages ? `${p.messages} messages a day each` : 'any number of messages',
    settings: (p: { agent: string }): FormattedText =>
      fmt`${bold(`A link to ${p.agent}`)}\n\nEach line is a rule; press it to change it. Visitors get a conversation of their own, never your memory or files.`,
  },
  copy: {
    notAllowed: 'The owner of this agent does not allow copies.',
    withoutSkills: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)} is there, but its skills could not be brought along.`,
  },
  import: {
    offer: (p: { name: string }): FormattedText =>
      fmt`${bold(p.name)} looks like an exported agent. Which of yours shall become it? Its personality, memory, files and conversation are replaced by those in the file.`,
    asFile: '📄 No, it is just a file',
    done: (p: { agent: string; files: number; messages: number }): FormattedText =>
      fmt`✅ ${bold(p.agent)} has it all: ${p.files} files, ${p.messages} messages of conversation.`,
    refused: (p: { reason: string }) => `That file cannot be taken in: ${p.reason}`,
    reasons: {
      invalid_archive: 'it is no whole exported agent',
      turn_running: 'the agent is at work, so try again later',
      too_large: 'it is too large',
      disk_full: 'the disk of the agent is full',
      storage: 'the disk of the agent is full',
      other: 'the agent does not take it',
    },
    tooLarge: 'Telegram hands me files up to 20 MB only; this one is larger.',
    notAFile: 'Send the file that /export made, and I ask which agent it is for.',
  },
  account: {
    title: 'Your account',
    freeTier: (p: { used: number; max: number; left: string }): FormattedText =>
      fmt`Messages today: ${bold(`${p.used} of ${p.max}`)}, new ones in ${p.left}.`,
    ownKey: 'You use a key of your own: no daily limit from me.',
    balance: (p: { balance: string }): FormattedText => fmt`Balance of your key: ${bold(p.balance)}`,
    keyRefused: 'Your key is refused by LibertAI. Send a new one with /login.',
    agents: (p: { agents: number; max: number }): FormattedText => fmt`Agents: ${bold(`${p.agents} of ${p.max}`)}`,
    settings: (p: { language: string; timezone: string }): FormattedText =>
      fmt`Language: ${p.language} · Time zone: ${p.timezone}`,
    noTimezone: 'not set',
  },
  login: {
    saved: 'Your key works and is kept sealed. I have deleted your message.',
    refused: 'LibertAI refuses that key. I have deleted your message; nothing was changed.',
    unreachable: 'LibertAI cannot be reached just now. I have deleted your message; try again in a minute.',
    malformed: 'That does not look like a key. I have deleted your message to be safe.',
    late: 'That was meant as a key, but nothing waits for one any more. I have deleted your message and passed it on to nobody; type /login to try again.',
    loggedOut: 'Your key is removed.',
    notLoggedIn: 'You have no key of your own here.',
    ask: (): FormattedText =>
      fmt`${bold('Your own LibertAI key')}\n\nSend it as your next message (you find it at console.libertai.io). I delete your message at once and keep the key sealed; it never reaches an agent’s computer.`,
    inGroup:
      'Not here: everybody would see your key. I have deleted your message. Use /login in our private chat, and make a new key.',
  },
  usage: {
    tokens: 'A token is about three quarters of a word; a request is one thought of the agent.',
    title: 'Use in the last 7 days',
    none: 'Nothing was used yet.',
    agent: (p: { agent: string; requests: number; tokens: string }): FormattedText =>
      fmt`${bold(p.agent)}: ${p.tokens} tokens in ${n(p.requests, 'request', 'requests')}`,
    today: (p: { agent: string; tokens: string; share: number }): FormattedText =>
      fmt`Today ${bold(p.agent)} used ${p.tokens} tokens, ${p.share}% of its day.`,
  },
  language: {
    choose: 'Which language shall I speak? Your agent answers in the language you write in.',
    set: 'I speak English now.',
    name: 'English',
  },
  timezone: {
    none: 'not set, so I reckon in UTC',
    /** Where most people who speak this live; any other IANA name can be typed. */
    zones: [
      { zone: 'Europe/London', city: 'London' },
      { zone: 'Europe/Berlin', city: 'Berlin' },
      { zone: 'Africa/Lagos', city: 'Lagos' },
      { zone: 'Asia/Dubai', city: 'Dubai' },
      { zone: 'Asia/Kolkata', city: 'Kolkata' },
      { zone: 'Asia/Singapore', city: 'Singapore' },
      { zone: 'Asia/Tokyo', city: 'Tokyo' },
      { zone: 'Australia/Sydney', city: 'Sydney' },
      { zone: 'America/New_York', city: 'New York' },
      { zone: 'America/Chicago', city: 'Chicago' },
      { zone: 'America/Sao_Paulo', city: 'São Paulo' },
      { zone: 'America/Los_Angeles', city: 'Los Angeles' },
    ],
    choose: (p: { current: string; time: string }): FormattedText =>
      fmt`Your time zone: ${bold(p.current)} (${p.time}).\n\nChoose one, or send for example ${code('/timezone Europe/Paris')}.`,
    set: (p: { timezone: string; time: string }): FormattedText =>
      fmt`Your time zone is ${bold(p.timezone)}; it is ${p.time} there now.`,
    unknown: (p: { timezone: string }): FormattedText =>
      fmt`I do not know the time zone “${p.timezone}”. Write it like ${code('Europe/Paris')} or ${code('America/New_York')}.`,
  },
  rich: {
    /** Markdown. */
    sample:
      'Some Telegram apps can show real tables, boxes to tick and formulas; others cannot show such a message at all.\n\n| Day | Weather |\n|---|---|\n| Saturday | rain |\n| Sunday | sun |\n\n- [x] bread\n- [ ] milk\n\nDo you see a table with lines around its cells, and two boxes, in every app you use?',
    auto: 'Answers are rich messages where they show more than text can: tables, boxes to tick, formulas. /rich changes it.',
    always: 'All answers are rich messages. /rich changes it.',
    never: 'Answers are plain text with formatting. /rich changes it.',
  },
  memory: {
    title: (p: { agent: string }): FormattedText => fmt`${bold(`What ${p.agent} remembers`)}`,
    empty: 'Nothing yet. Tell it “remember that …”.',
    askText: (p: { agent: string }): FormattedText =>
      fmt`${bold(`What shall ${p.agent} remember?`)}\n\nWrite the whole memory anew. It replaces what is there now.`,
    saved: 'Saved. It counts from the next conversation on at the latest.',
    confirmForget: (p: { agent: string }): FormattedText =>
      fmt`${bold(`Shall ${p.agent} forget everything it remembers?`)}\n\nFiles and the conversation stay.`,
    forgotten: 'Forgotten.',
  },
  files: {
    title: (p: { agent: string; folder: string }): FormattedText =>
      fmt`${bold(`Files of ${p.agent}`)}${p.folder ? fmt` · ${code(p.folder)}` : ''}`,
    empty: 'This folder is empty.',
    more: (p: { count: number }) => `… and ${p.count} more`,
    sending: 'Here it comes.',
    moved: 'That list is out of date. Here is the new one.',
  },
  schedule: {
    add: (p: { task: string; timezone: string }) =>
      `Please schedule this: ${p.task}${p.timezone ? ` (my time zone: ${p.timezone})` : ''}`,
    title: (p: { agent: string }): FormattedText => fmt`${bold(`What ${p.agent} has planned`)}`,
    none: 'Nothing. Tell it “remind me tomorrow at nine to …”, or send /schedule with what it shall do.',
    cancelled: 'Cancelled.',
    gone: 'That is no longer planned.',
  },
  export: {
    caption: (p: { agent: string }): FormattedText =>
      fmt`${bold(p.agent)}: personality, memory, files and conversation. No keys are inside.`,
    coming: (p: { agent: string }): FormattedText => fmt`Packing ${bold(p.agent)} …`,
  },
  doctor: {
    title: (p: { agent: string }): FormattedText => fmt`${bold(`Looking at ${p.agent}`)}`,
    machineOk: '✅ Its computer answers.',
    machineSilent: '❌ Its computer does not answer. Repair sets it up anew; memory and files stay.',
    created: '⏳ It is still being created.',
    failed: '❌ Setting it up did not work. Try again.',
    modelOk: (p: { model: string }) => `✅ Model: ${p.model}.`,
    modelGone: (p: { model: string }) => `❌ The model ${p.model} is not offered any more. Choose another one.`,
    budgetOk: (p: { left: number }) => `✅ Messages left today: ${p.left}.`,
    budgetOwnKey: '✅ Your own key pays; there is no daily limit.',
    budgetUsed: (p: { left: string }) => `❌ Today’s messages are used up. New ones in ${p.left}.`,
    busy: '⏳ It is working on an answer. /stop stops it.',
    lastError: (p: { error: string }) => `Last problem: ${p.error}`,
    keyRefused: '❌ LibertAI refuses your key. Send a new one with /login.',
    providerSilent: '❌ LibertAI does not answer just now. Nothing to do but wait a little.',
    agentBudgetOk: (p: { share: number }) => `✅ Its thinking for today: ${p.share}% used.`,
    agentBudgetUsed: (p: { left: string }) => `❌ It has thought as much as it may today. It goes on in ${p.left}.`,
  },
  admin: {
    dashboard: (p: { users: number; agents: string; messages: number; machines: string }): FormattedText =>
      fmt`${bold('Dashboard')}\n\nPeople: ${p.users}\nAgents: ${p.agents}\nMessages today: ${p.messages}\nMachines: ${p.machines}`,
    pool: (p: { machines: string; min: number; max: number; hours: number }): FormattedText =>
      fmt`${bold('Pool')}\n\nMachines: ${p.machines}\nKept ready: ${p.min} to ${p.max}${p.hours > 0 ? `, for up to ${n(p.hours, 'hour', 'hours')}` : ''}`,
    today: (p: Summary): FormattedText =>
      fmt`${bold('Today')}\n\nTurns: ${p.turns}, failed: ${p.failed}\nHalf within ${p.halfWithin} s, 95 % within ${p.mostWithin} s\nTokens: ${p.tokens}\nTold to wait by Telegram: ${p.floods}\nPerhaps not arrived: ${p.unknown}`,
    deployments: (p: { days: number }): FormattedText => fmt`${bold(`Setting up, last ${n(p.days, 'day', 'days')}`)}\n`,
    deploymentKinds: { create: 'New agents', repair: 'Repairs', update: 'Updates', destroy: 'Deletions' },
    deploymentTimes: (p: { kind: string; done: number; halfWithin: string }) =>
      `${p.kind}: ${p.done}, half within ${p.halfWithin} s`,
    slowestStep: (p: { step: string; seconds: number }) => `slowest step: ${p.step}, ${p.seconds} s`,
    costs: (p: { machines: number; usd: string }) =>
      `Paid for: ${n(p.machines, 'machine', 'machines')}, ${p.usd} USD an hour`,
    credits: (p: { usd: string; span: string }) => `Credits: ${p.usd} USD, enough for ${p.span} of these machines`,
    creditsLow: (p: { usd: string; span: string }) =>
      `⚠️ Credits: ${p.usd} USD, enough for only ${p.span} of these machines. Top up before they are taken away.`,
    oldest: (p: { span: string }) => `Oldest ready one: ${p.span}`,
    failures: (p: { count: number }) => `Failures in the last 24 hours: ${p.count}`,
    hosts: 'Hosts of your own',
    hostHelp:
      'Add a host of your own: /pool add root@192.0.2.7:22 https://agents.example\nTake one out: /pool remove 192.0.2.7:22',
    hostAdded: (p: { host: string }) => `${p.host} is being prepared. It joins the pool when it is ready.`,
    hostKnown: (p: { host: string }) => `${p.host} is in the pool already.`,
    hostRemoved: (p: { host: string }) => `${p.host} is out of the pool.`,
    hostStays: (p: { host: string }) => `${p.host} is not in the pool, or an agent lives on it.`,
    rolloutBegun: 'Updating every agent: yours first, then the others in batches. /dashboard shows how far it is.',
    rolloutRuns: (p: { updated: number; total: number }) => `Update of all agents: ${p.updated} of ${p.total} so far`,
    rolloutDone: (p: { updated: number; total: number }) => `Update of all agents: done, ${p.updated} of ${p.total}`,
    rolloutStopped: (p: { updated: number; total: number; agent: string; reason: string }) =>
      `Update of all agents: stopped after ${p.updated} of ${p.total} at ${p.agent}: ${p.reason}`,
    none: 'none',
  },
  errors: {
    agent_unreachable: 'The agent’s computer does not answer. Try again in a minute, or see /doctor.',
    agent_not_ready: 'This agent has no computer yet. See /list.',
    agent_refused: 'The agent could not do that just now. Try again in a minute.',
    agent_disk_full: 'The agent could not write to its disk: it may be full. Ask it to tidy up.',
  },
  menu: {
    create: 'Make an agent',
    list: 'Your agents',
    manage: 'Leave this agent',
    stop: 'Stop the answer',
    again: 'Ask the same again',
    steps: 'What it did for its answer',
    new: 'New conversation',
    status: 'How your agent is doing',
    share: 'Let others talk to it',
    account: 'Limits and settings',
    help: 'All commands',
    dashboard: 'People, agents, machines',
    pool: 'Machines kept ready',
  },
  profile: {
    shortDescription: 'Your own AI agent, with a computer of its own. /start makes one in a minute.',
    description:
      'I make personal AI agents.\n\nYours has its own computer: it runs tools, keeps files, remembers what you tell it, works on a schedule, and can be shared by a link.\n\nPress Start, give it a name, and talk to it here.',
  },
}

/** The shape of a whole catalogue: the same keys, the same parameters, other words. */
export type Catalogue = Worded<typeof english>

type Worded<T> = T extends (...parameters: infer P) => infer R
  ? (...parameters: P) => R
  : T extends string
    ? string
    : T extends readonly (infer I)[]
      ? readonly Worded<I>[]
      : { readonly [K in keyof T]: Worded<T[K]> }

export type { Phrase }
