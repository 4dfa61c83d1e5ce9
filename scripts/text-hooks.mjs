import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleTools } from "./bundle.mjs";

const TOOLS = "tgo:tools";
const TEXT = /\.(?:py|sh|txt)$/;

export function resolve(specifier, context, next) {
  return specifier === TOOLS ? { url: TOOLS, shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  if (url === TOOLS) return text(await bundleTools());
  const { protocol, pathname } = new URL(url);
  if (protocol === "file:" && TEXT.test(pathname))
    return text(await readFile(fileURLToPath(new URL(pathname, "file:")), "utf8"));
  return next(url, context);
}

function text(content) {
  return { format: "module", shortCircuit: true, source: `export default ${JSON.stringify(content)};` };
}
