/** Node.js loader for programs run from source: imports of the container tools and of scripts give their text. */
import { register } from "node:module";

register("./text-hooks.mjs", import.meta.url);
