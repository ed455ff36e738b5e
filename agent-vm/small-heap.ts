/**
 * Told to V8 before anything else is loaded: an agent shares a small machine with what its tools run, and waits for its model
 * most of the time. Without this the heap grows to five times of what is in use. Set here, so that plain `node agent.mjs` has it.
 */
import { setFlagsFromString } from 'node:v8'

// The young generation stays at its first size (1 MB) instead of doubling up to 16.
setFlagsFromString('--semi-space-growth-factor=1')
// Garbage is collected earlier, memory is given back, and code is compiled for size.
setFlagsFromString('--optimize-for-size')
// By the thread that made it: such a machine has one or two cores, and to wait for helpers there takes longer than the work.
setFlagsFromString('--single-threaded-gc')
// No function here is hot enough to pay for its compilers: they and what they make would hold 8 MB.
setFlagsFromString('--no-opt')
setFlagsFromString('--no-maglev')
