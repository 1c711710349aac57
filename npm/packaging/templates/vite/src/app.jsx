import { StrictMode } from "react"
import { createRoot, hydrateRoot } from "react-dom/client"
import { Project } from "./project.jsx"

const root = document.getElementById("root")
const page = <StrictMode><Project /></StrictMode>
// What a server rendered is taken over; React says so where it would have rendered something else.
if (root.firstElementChild) hydrateRoot(root, page, { onRecoverableError: (error) => console.error("hydration:", error.message) })
else createRoot(root).render(page)
