// Run by Node: what a server makes of the page.
import { renderToString } from "react-dom/server"
import { StrictMode } from "react"
import { Project } from "./project.jsx"

export const html = renderToString(<StrictMode><Project /></StrictMode>)
