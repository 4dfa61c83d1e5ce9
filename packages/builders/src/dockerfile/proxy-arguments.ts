import { parseDockerfile, splitWords } from "@tgo/dockerfile";
import { urlCredentials } from "@tgo/redaction";

/** https://docs.docker.com/build/building/variables/#pre-defined-build-arguments */
const PROXY = /^(?:https?|ftp|all|no)_proxy$/i;

/** Whether a build argument names a proxy: how a build reaches the network changes none of its bytes. */
export function isProxyArgument(name: string): boolean {
  return PROXY.test(name);
}

/**
 * The Dockerfile without ARG for proxies whose address contains a password. Builders predefine these arguments for RUN;
 * one that a Dockerfile declares becomes a part of the image's history and can become one of its config. Line numbers
 * stay the same, because build messages refer to them.
 */
export function withoutProxyPasswords(text: string, values: Readonly<Record<string, string>>): string {
  const hidden = Object.keys(values).filter(
    (name) => isProxyArgument(name) && urlCredentials(values[name] ?? "").length > 0,
  );
  if (hidden.length === 0) return text;
  const lines = text.split("\n");
  const { escape, instructions } = parseDockerfile(text);
  for (const { keyword, rest, lines: at } of instructions) {
    if (keyword !== "ARG") continue;
    const words = splitWords(rest, escape);
    const kept = words.filter((word) => !hidden.includes(word.split("=", 1)[0] ?? ""));
    if (kept.length === words.length) continue;
    lines.fill("", ...at);
    if (kept.length > 0) lines[at[0]] = `ARG ${kept.join(" ")}`;
  }
  return lines.join("\n");
}

/** A proxy that RUN lines get as a secret. */
export interface ProxySecret {
  readonly id: string;
  readonly value: string;
}

/**
 * The Dockerfile with proxies as secrets of its RUN lines, in the variables that builders predefine: Dagger's engine does not
 * (v0.21.8, util/llbtodagger/exec.go ignores them). Nothing of them reaches the image. Line numbers stay the same.
 */
export function withProxySecrets(
  text: string,
  values: Readonly<Record<string, string>>,
): { readonly text: string; readonly secrets: readonly ProxySecret[] } {
  const proxies = Object.entries(values).filter(([name, value]) => isProxyArgument(name) && value !== "");
  if (proxies.length === 0) return { text, secrets: [] };
  const idOf = (name: string): string => `tgo-proxy-${name}`;
  const mounts = proxies.map(([name]) => ` --mount=type=secret,id=${idOf(name)},env=${name}`).join("");
  const lines = text.split("\n");
  for (const { keyword, lines: at } of parseDockerfile(text).instructions)
    if (keyword === "RUN") lines[at[0]] = lines[at[0]]?.replace(/^\s*run\b/i, (run) => run + mounts) ?? "";
  const secrets = proxies.map(([name, value]) => ({ id: idOf(name), value }));
  return { text: lines.join("\n"), secrets };
}
