/** Node.js loader for programs run from source: imports of the container tools, scripts and tool locks give their text. */
import { register } from "node:module";

register("./text-hooks.mjs", import.meta.url);
