// How the page is built. The header below is the one that `leaf serve` sends: what does not work under it in
// `npm run preview` does not work at all.
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"
import { brotli } from "./build/brotli.ts"
import { serviceWorker } from "./build/service-worker.ts"

const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self' https: http: wss: ws:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types edgesync-leaf leaf-page dompurify",
].join("; ")

export default defineConfig({
  // Assets stand at the root of the server, whichever repository's page asks for them.
  base: "/",
  plugins: [react(), serviceWorker(), brotli()],
  resolve: { dedupe: ["react", "react-dom"] },
  optimizeDeps: { exclude: ["@edgesync/leaf"] },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsDir: "assets",
    // A data: URL would be refused by the policy for everything but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  preview: { headers: { "Content-Security-Policy": policy } },
})
