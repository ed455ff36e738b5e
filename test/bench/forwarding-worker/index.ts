/** A Worker that only forwards, to compare with: what it costs is the platform's, not the gateway's. */
// biome-ignore lint/style/noDefaultExport: what the platform starts
export default {
  fetch(request: Request, env: { TARGET: string }): Promise<Response> {
    return fetch(env.TARGET + new URL(request.url).pathname, request)
  },
}
