/** The account that pays for machines. */
import type { Config } from '../config.ts'
import { ProvisionFailure } from './provision-failure.ts'

/** @throws {ProvisionFailure} no_capacity: only hosts of the operator's own can carry agents then */
export function requireAccount({ ALEPH_PRIVATE_KEY }: Config): string {
  if (!ALEPH_PRIVATE_KEY) {
    throw new ProvisionFailure('no_capacity', 'ALEPH_PRIVATE_KEY is not set and no machine is free')
  }
  return ALEPH_PRIVATE_KEY
}
