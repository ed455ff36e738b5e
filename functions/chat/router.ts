/** Everything a person can type or press, in the order it is tried. A table without state: built once. */
import { bringsAgent } from './agents/brought-agent.ts'
import { offerAgain } from './agents/edited-message.ts'
import { talk } from './agents/talk.ts'
import { registerTopicName } from './agents/topic-name.ts'
import { registerAccount } from './commands/account.ts'
import { registerAgain } from './commands/again.ts'
import { registerCancel } from './commands/cancel.ts'
import { registerChat } from './commands/chat.ts'
import { registerCompact } from './commands/compact.ts'
import { registerCopy } from './commands/copy.ts'
import { registerCreate } from './commands/create.ts'
import { registerDashboard } from './commands/dashboard.ts'
import { registerDelete } from './commands/delete.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExport } from './commands/export.ts'
import { registerFiles } from './commands/files.ts'
import { registerForget } from './commands/forget.ts'
import { registerHelp } from './commands/help.ts'
import { offerImport, registerImport } from './commands/import.ts'
import { registerLanguage } from './commands/language.ts'
import { registerList } from './commands/list.ts'
import { registerLogin } from './commands/login.ts'
import { registerLogout } from './commands/logout.ts'
import { registerManage } from './commands/manage.ts'
import { registerMemory } from './commands/memory.ts'
import { registerModel } from './commands/model.ts'
import { registerNew } from './commands/new.ts'
import { registerPool } from './commands/pool.ts'
import { registerPrivacy } from './commands/privacy.ts'
import { registerRepair } from './commands/repair.ts'
import { registerResend } from './commands/resend.ts'
import { registerRetry } from './commands/retry.ts'
import { registerRich } from './commands/rich.ts'
import { registerSchedule } from './commands/schedule.ts'
import { registerShare } from './commands/share.ts'
import { registerSoul } from './commands/soul.ts'
import { registerStart } from './commands/start.ts'
import { registerStatus } from './commands/status.ts'
import { registerSteps } from './commands/steps.ts'
import { registerStop } from './commands/stop.ts'
import { registerTimezone } from './commands/timezone.ts'
import { registerUpdate } from './commands/update.ts'
import { registerUsage } from './commands/usage.ts'
import { registerVerbose } from './commands/verbose.ts'
import { commandOf, isMeant } from './routing/addressing.ts'
import { createRouter, type Router } from './routing/baal-context.ts'
import { contentOf } from './routing/message-content.ts'
import { isTypedKey } from './sealed-words.ts'
import {
  answerWizard,
  askWizardAgain,
  dropExpiredWizard,
  leaveWizard,
  registerWizardButtons,
} from './wizard/run-wizard.ts'
import { wizardAwaitingText } from './wizard/stored-wizard.ts'

const REGISTRATIONS: readonly ((router: Router) => void)[] = [
  registerStart,
  registerHelp,
  registerCreate,
  registerList,
  registerChat,
  registerCopy,
  registerManage,
  registerDelete,
  registerRetry,
  registerRepair,
  registerUpdate,
  registerStop,
  registerAgain,
  registerSteps,
  registerResend,
  registerNew,
  registerCompact,
  registerStatus,
  registerCancel,
  registerSoul,
  registerModel,
  registerVerbose,
  registerUsage,
  registerAccount,
  registerLogin,
  registerLogout,
  registerForget,
  registerPrivacy,
  registerLanguage,
  registerRich,
  registerTimezone,
  registerShare,
  registerMemory,
  registerFiles,
  registerSchedule,
  registerExport,
  registerImport,
  registerDoctor,
  registerDashboard,
  registerPool,
  registerWizardButtons,
  registerTopicName,
]

/** What stands on a wizard's buttons, typed. */
const WIZARD_COMMANDS: ReadonlySet<string> = new Set(['cancel', 'back', 'skip'])

/** Who looks something up in the middle of a wizard has not left it. */
const LOOKING_UP: ReadonlySet<string> = new Set([
  'help',
  'status',
  'usage',
  'privacy',
  'account',
  'settings',
  'list',
  'steps',
  'doctor',
  'files',
  'dashboard',
])

export const router = buildRouter(createRouter())

/** @param built gets every command and button; tests give one that writes them down */
export function buildRouter(built: Router): Router {
  built.use((ctx, next) => {
    dropExpiredWizard(ctx)
    return next()
  })
  built.on('message', async (ctx, next) => {
    // A command that begins something leaves a wizard; /cancel tells whether there was one.
    const command = commandOf(ctx.message, ctx.ports.bot)
    const looksUp = command !== undefined && LOOKING_UP.has(command.name)
    if (command && !looksUp && !WIZARD_COMMANDS.has(command.name)) leaveWizard(ctx)
    await next()
    if (looksUp) askWizardAgain(ctx)
  })
  for (const register of REGISTRATIONS) register(built)
  built.on('callback_query:data', (ctx) => ctx.out.toast(ctx.words.toasts.outdated))
  built.on('message', async (ctx) => {
    const { message, ports, words, out } = ctx
    const command = commandOf(message, ports.bot)
    if (command) {
      if (command.addressed) out.send(words.chat.unknownCommand({ command: `/${command.name}` }))
      return
    }
    if (bringsAgent(message)) return offerImport(ctx, message)
    const wizard = wizardAwaitingText(ports.store, { userId: ctx.user.id, now: ports.now() })
    if (wizard) return answerWizard(ctx, wizard, message.text ?? '')
    if (isTypedKey(ctx.update)) {
      out.delete({ messageId: message.message_id })
      return out.send(words.login.late)
    }
    const content = contentOf(message, ports.bot)
    if (content !== undefined && isMeant(message, ports.bot)) await talk(ctx, { message: content, source: message })
  })
  built.on('edited_message', (ctx) => offerAgain(ctx, ctx.editedMessage))
  return built
}
