// The one Trusted Types policy of this page: it lets nothing through but the address of the service worker.

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown }
}

const { trustedTypes } = window as { trustedTypes?: TrustedTypes }
const script = `${import.meta.env.BASE_URL}sw.js`
const policy = trustedTypes?.createPolicy("leaf-page", {
  createScriptURL(url) {
    if (url !== script) throw new TypeError(`not a script of this page: ${url}`)
    return url
  },
})

export function workerUrl(): string {
  return (policy?.createScriptURL(script) ?? script) as string
}
