/** A Worker that does nothing, to compare with. */
// biome-ignore lint/style/noDefaultExport: what the platform starts
export default { fetch: () => new Response('ok') }
