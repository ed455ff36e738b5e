/**
 * The platform that runs Workflows, in time of its own: steps are remembered, a killed Workflow is played again from the start,
 * and one runs at a time, until it waits, so that a seed gives the same story every time.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Steps } from '../../functions/provision/durable-work.ts'
import type { Engine, ProvisionPorts } from '../../functions/provision/provision-ports.ts'
import { runWorkflow } from '../../functions/provision/run-workflow.ts'
import { type WorkflowParams, workflowId } from '../../functions/provision/workflow-params.ts'

export class Clock {
  now = Date.UTC(2026, 10, 24, 12)
}

/** A step's turn, or a look of cron: what is killed as one. */
interface Life {
  killed: boolean
  readonly end: () => void
}

interface Instance {
  readonly params: WorkflowParams
  readonly memory: Map<string, string>
  state: 'running' | 'complete' | 'killed'
  wakeAt: number
  /** Goes on where it paused; absent when it has to be played from the start. */
  go: (() => void) | undefined
  kills: number
}

export interface Killer {
  /** Asked at every call to the outside: whether the platform dies there, before or after it takes effect. */
  atCall(): 'before' | 'after' | undefined
  /** Asked when a step is done: whether the platform dies before it has written that down. */
  atStepEnd(name: string): boolean
  /** How long the platform takes to start it again; undefined: it does not, cron has to see to it. */
  comesBackAfterMs(): number | undefined
}

export const NO_KILLER: Killer = { atCall: () => undefined, atStepEnd: () => false, comesBackAfterMs: () => 1_000 }

const RETRY_MS = { '1 second': 1_000, '5 seconds': 5_000 } as const

export class VirtualPlatform implements Engine {
  readonly instances = new Map<string, Instance>()
  readonly clock: Clock
  readonly #openPorts: () => ProvisionPorts
  readonly #life = new AsyncLocalStorage<Life>()
  killer: Killer = NO_KILLER
  kills = 0
  /** Workflows that ended with an error. */
  readonly broken: string[] = []
  /** Steps in which the platform was killed, by name without numbers. */
  readonly killedAt = new Map<string, number>()

  constructor(clock: Clock, openPorts: () => ProvisionPorts) {
    this.clock = clock
    this.#openPorts = openPorts
  }

  async start(params: WorkflowParams): Promise<void> {
    const id = workflowId(params)
    if (this.instances.has(id)) return
    this.instances.set(id, {
      params,
      memory: new Map(),
      state: 'running',
      wakeAt: this.clock.now,
      go: undefined,
      kills: 0,
    })
  }

  async revive(params: WorkflowParams): Promise<'woken' | 'started' | 'restarted'> {
    const instance = this.instances.get(workflowId(params))
    if (!instance) {
      await this.start(params)
      return 'started'
    }
    if (instance.state === 'running') return 'woken'
    if (instance.state === 'complete') instance.memory.clear()
    Object.assign(instance, { state: 'running', wakeAt: this.clock.now, go: undefined })
    return 'restarted'
  }

  /** Every call to the outside goes through here. */
  async call<T>(send: () => Promise<T>): Promise<T> {
    const life = this.#life.getStore()
    if (!life) return send()
    if (life.killed) return never()
    const death = this.killer.atCall()
    if (death === 'before') return this.#kill(life)
    const answer = await send()
    return death === 'after' ? this.#kill(life) : answer
  }

  /** Something that is not a Workflow, such as a look of cron: killed, it simply ends. */
  async runOnce(work: () => Promise<unknown>): Promise<void> {
    await this.#live(work)
  }

  /** Runs what is due at this moment, each until it waits. @param choose an index below its argument */
  async runDue(choose: (count: number) => number): Promise<void> {
    for (;;) {
      const due = [...this.instances.values()].filter(
        ({ state, wakeAt }) => state === 'running' && wakeAt <= this.clock.now,
      )
      const next = due[due.length === 0 ? 0 : choose(due.length)]
      if (!next) return
      await this.#turn(next)
    }
  }

  nextWake(): number | undefined {
    const times = [...this.instances.values()].filter(({ state }) => state === 'running').map(({ wakeAt }) => wakeAt)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** Until everything has ended. */
  async finish(choose: (count: number) => number = () => 0): Promise<void> {
    for (let next = this.nextWake(); next !== undefined; next = this.nextWake()) {
      this.clock.now = Math.max(this.clock.now, next)
      await this.runDue(choose)
    }
  }

  async #turn(instance: Instance): Promise<void> {
    const { promise: pause, resolve: paused } = Promise.withResolvers<void>()
    const ended = await this.#live(async () => {
      onPause.set(instance, paused)
      const { go } = instance
      instance.go = undefined
      if (go) go()
      else void this.#play(instance)
      await pause
    }, instance)
    if (ended === 'killed') this.#bury(instance)
  }

  async #play(instance: Instance): Promise<void> {
    try {
      await runWorkflow(instance.params, this.#stepsOf(instance), this.#openPorts)
    } catch (error) {
      this.broken.push(`${workflowId(instance.params)}: ${error instanceof Error ? error.message : 'broke'}`)
    }
    instance.state = 'complete'
    onPause.get(instance)?.()
  }

  #bury(instance: Instance): void {
    instance.kills += 1
    instance.go = undefined
    const back = this.killer.comesBackAfterMs()
    if (back === undefined) instance.state = 'killed'
    else instance.wakeAt = this.clock.now + back
  }

  async #live(work: () => Promise<unknown>, instance?: Instance): Promise<'done' | 'killed'> {
    const { promise: killed, resolve } = Promise.withResolvers<'killed'>()
    const life: Life = { killed: false, end: () => resolve('killed') }
    if (instance) lives.set(instance, life)
    return Promise.race([this.#life.run(life, async () => work().then(() => 'done' as const)), killed])
  }

  #kill<T>(life: Life, where = 'call'): Promise<T> {
    this.kills += 1
    this.killedAt.set(where, (this.killedAt.get(where) ?? 0) + 1)
    life.killed = true
    life.end()
    return never()
  }

  #stepsOf(instance: Instance): Steps {
    // The life in which this run began may be over when it wakes again: a paused run goes on within a new one.
    const generation = instance.kills
    const isStale = () => instance.kills !== generation
    const pauseUntil = async (time: number) => {
      if (isStale()) return never<void>()
      instance.wakeAt = time
      const resumed = new Promise<void>((resolve) => {
        instance.go = resolve
      })
      onPause.get(instance)?.()
      await resumed
      return isStale() ? never<void>() : undefined
    }
    return {
      do: async (name, { retries }, work) => {
        const known = instance.memory.get(name)
        if (known !== undefined) return known
        // Others get their turn between any two steps.
        await pauseUntil(this.clock.now)
        for (let attempt = 0; ; attempt++) {
          const life = lives.get(instance)
          try {
            const result = life ? await this.#life.run(life, work) : await work()
            if (life && this.killer.atStepEnd(name)) return this.#kill(life, name.replace(/[\d]+/g, '#').trim())
            instance.memory.set(name, result)
            return result
          } catch (error) {
            if (attempt >= retries.limit) throw error
            const factor = retries.backoff === 'exponential' ? 2 ** attempt : 1
            await pauseUntil(this.clock.now + RETRY_MS[retries.delay] * factor)
          }
        }
      },
      sleep: async (name, seconds) => {
        if (instance.memory.has(name)) return
        await pauseUntil(this.clock.now + seconds * 1_000)
        instance.memory.set(name, '')
      },
    }
  }
}

const onPause = new WeakMap<Instance, () => void>()
const lives = new WeakMap<Instance, Life>()

/** What was going on in a process that is dead. */
function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
