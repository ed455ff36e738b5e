/** Does a runner take calls signed with this key? Asked with a call that names no machine: nothing can happen. */
import { sendSigned } from '../../functions/provision/sign-call.ts'

const CALL_LIMIT_MS = 10_000

export async function trySignature(
  runnerUrl: string,
  signingKey: string,
): Promise<'accepted' | 'refused' | 'unreachable'> {
  const body = '{}'
  try {
    const response = await sendSigned({ signingKey, body }, (authorization) =>
      fetch(new URL('/machines/probe', runnerUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body,
        signal: AbortSignal.timeout(CALL_LIMIT_MS),
      }),
    )
    const answer = await response.text()
    if (response.status === 401) return 'refused'
    return answer.includes('bad_request') ? 'accepted' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}
