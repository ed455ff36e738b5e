/** What can go wrong, for tests to switch on; everything is off by itself. */
export interface Faults {
  /** Messages stay pending this long. */
  pendingMs: number
  /** The scheduler takes this long to place. */
  placementMs: number
  unschedulable: boolean
  /** POSTs that take effect but whose answer gets lost. */
  lostAnswers: number
  /** Requests that are answered 502 without any effect. */
  badGateways: number
  /** The scheduler leaves pinned instances to their node, which waits to be notified. */
  notifyOnly: boolean
  /** Nodes, by number, that take instances and never get them running. */
  readonly deadNodes: Set<number>
  /** Image hashes that no node knows: instances of them stay pending, then are rejected. */
  readonly unknownImages: Set<string>
  /** Drawn for every request: `before` fails without effect, `after` takes effect and loses the answer. */
  strike: (request: { method: string; path: string }) => 'before' | 'after' | undefined
}

export function noFaults(): Faults {
  return {
    pendingMs: 0,
    placementMs: 0,
    unschedulable: false,
    lostAnswers: 0,
    badGateways: 0,
    notifyOnly: false,
    deadNodes: new Set(),
    unknownImages: new Set(),
    strike: () => undefined,
  }
}
