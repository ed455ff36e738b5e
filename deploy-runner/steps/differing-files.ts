import { sha256 } from '../artifacts.ts'
import type { MachineState, ManagedName } from '../inspect.ts'

/** Those of the wanted files that the machine has not, or has otherwise. */
export function differing(
  wanted: Readonly<Partial<Record<ManagedName, Buffer>>>,
  state: MachineState,
): ReadonlyMap<ManagedName, Buffer> {
  const entries = Object.entries(wanted) as [ManagedName, Buffer][]
  return new Map(entries.filter(([name, content]) => state.hashes[name] !== sha256(content)))
}
