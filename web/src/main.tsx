// Starts the page. Everything that needs the repository waits for its worker; the frame does not.
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./app.tsx"
import "./style/index.css"

const root = document.getElementById("root")
if (!root) throw new Error("the page has no #root")
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
