/** /pool: the machines that are paid for and those that wait, for the operator; who may also lend hosts of their own. */
import { z } from 'zod'
import { registerHost, unregisterHost } from '../../database/machines-pool.ts'
import { loadMachineReport, type MachineReport } from '../../database/machines-report.ts'
import { describeError, log } from '../../log.ts'
import {
  CREDITS_PER_MACHINE_DAY,
  CREDITS_PER_USD,
  fetchCredits,
  LOW_CREDIT_DAYS,
} from '../../provision/aleph/credits.ts'
import { accountAddress } from '../../provision/aleph/sign-message.ts'
import { poolSize } from '../../provision/pool-size.ts'
import { counts, renderMachines, shorten } from '../agents/machine-summary.ts'
import { renderSpan } from '../catalogue/duration.ts'
import { join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { isAdmin } from './dashboard.ts'

const DAY_MS = 86_400_000
/** For each core node: the rest of the answer is there, and somebody waits for it. */
const CREDITS_LIMIT_MS = 3_000

/** `root@192.0.2.7:22`, user and port optional; IPv6 in brackets. */
const HOST = /^(?:([a-z_][\w-]{0,31})@)?(\[[0-9a-f:]+\]|[\w.-]{1,253})(?::(\d{1,5}))?$/i
const Port = z.coerce.number().int().min(1).max(65_535)
const PublicUrl = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)

interface Host {
  readonly name: string
  readonly sshHost: string
  readonly sshPort: number
  readonly sshUser: string
}

export function registerPool(router: Router): void {
  onCommand(router, 'pool', async (ctx, argument) => {
    if (!isAdmin(ctx)) return ctx.out.refuse(ctx.words.chat.adminOnly)
    const [verb, address = '', url = ''] = argument.split(/\s+/)
    const host = parseHost(address)
    if (verb === 'add' && host) return addHost(ctx, host, url)
    if (verb === 'remove' && host) return removeHost(ctx, host)
    if (verb) return ctx.out.send(ctx.words.admin.hostHelp)
    return showPool(ctx)
  })
}

async function showPool(ctx: BaalContext): Promise<void> {
  const { ports, words, out } = ctx
  const { config, database, now } = ports
  const report = await loadMachineReport(database, {
    failuresSince: now() - DAY_MS,
    defaultPrice: CREDITS_PER_MACHINE_DAY,
  })
  const lines: Phrase[] = [
    words.admin.pool({
      machines: counts(report.states.map(({ state, count }) => [state, count])) || words.admin.none,
      ...poolSize(config),
      hours: config.POOL_MAX_AGE_HOURS,
    }),
    ...(report.oldestWarm ? [words.admin.oldest({ span: renderSpan(now() - report.oldestWarm, words) })] : []),
    ...renderMachines(report, words),
    ...(await renderCredits(ctx, report)),
    ...(report.hosts.length > 0 ? ['', words.admin.hosts] : []),
    ...report.hosts.map(({ name, state, failure }) => `${shorten(name)}: ${state}${failure ? ` (${failure})` : ''}`),
    '',
    words.admin.hostHelp,
  ]
  out.send(join(lines, '\n'))
}

/** Nothing while nothing is paid for, or where no core node tells the balance. */
async function renderCredits(
  { ports, words }: BaalContext,
  { creditsPerDay }: Pick<MachineReport, 'creditsPerDay'>,
): Promise<string[]> {
  const { ALEPH_PRIVATE_KEY: key, ALEPH_API_URLS: hosts } = ports.config
  if (!key || creditsPerDay === 0) return []
  try {
    const credits = await fetchCredits(hosts, await accountAddress(key), { limitMs: CREDITS_LIMIT_MS })
    const days = credits / creditsPerDay
    const shown = { usd: (credits / CREDITS_PER_USD).toFixed(2), span: renderSpan(days * DAY_MS, words) }
    return [(days < LOW_CREDIT_DAYS ? words.admin.creditsLow : words.admin.credits)(shown)]
  } catch (error) {
    log('warn', 'credits_unknown', { error: describeError(error) })
    return []
  }
}

async function addHost({ ports, words, out }: BaalContext, host: Host, typedUrl: string): Promise<void> {
  const url = PublicUrl.safeParse(typedUrl)
  if (!url.success) return out.send(words.admin.hostHelp)
  const id = `h-${ports.ids('host')}`
  // Its Workflow is started by the next look after the pool, within a minute.
  const added = await registerHost(ports.database, { ...host, id, url: url.data, now: ports.now() })
  const text = added ? words.admin.hostAdded : words.admin.hostKnown
  out.send(text({ host: host.name }))
}

async function removeHost({ ports, words, out }: BaalContext, host: Host): Promise<void> {
  const removed = await unregisterHost(ports.database, host.name, ports.now())
  out.send((removed ? words.admin.hostRemoved : words.admin.hostStays)({ host: host.name }))
}

/** @returns `undefined` for what is no address; the name is what the host is known by, whoever the user */
export function parseHost(typed: string): Host | undefined {
  const [, user = 'root', bracketed, port] = HOST.exec(typed) ?? []
  const sshPort = Port.safeParse(port ?? 22)
  if (!bracketed || !sshPort.success) return undefined
  const sshHost = bracketed.replace(/^\[|\]$/g, '').toLowerCase()
  return { name: `${bracketed.toLowerCase()}:${sshPort.data}`, sshHost, sshPort: sshPort.data, sshUser: user }
}
