import type { Container } from "@dagger.io/dagger";
import type { SmokePlan } from "./smoke-plan.js";

/** What imports.py runs in forks of the interpreter that has imported the packages; see shared_interpreter.py. */
export interface SharedPrograms {
  readonly commands: readonly (readonly string[])[];
  readonly servers: readonly (readonly string[])[];
  readonly requests: SmokePlan["http"];
  /** Time limit of each command, and of all servers together. */
  readonly seconds: number;
}

/** A failure only says that it has to run by itself. */
export interface SharedResult {
  readonly commands: readonly boolean[];
  readonly servers: boolean;
}

/**
 * The servers that a container's command starts, if it starts nothing else: a program, or a shell that starts several and
 * waits for them.
 * @returns undefined for any other command
 */
export function serversOf(command: readonly string[]): string[][] | undefined {
  const [shell, option, script, ...others] = command;
  if (shell === undefined) return undefined;
  if (!/^(\/bin\/|\/usr\/bin\/)?(ba|da)?sh$/.test(shell)) return [[...command]];
  if (option !== "-c" || script === undefined || others.length > 0) return undefined;
  const parts = script.split(/\s&(?:\s|$)/).map((part) => part.trim().replace(/^exec\s+/, ""));
  const last = parts.at(-1);
  // "a & b" ends with b, "a & b &" at once.
  if (parts.length > 1 && last !== "wait") return undefined;
  const servers = parts.length > 1 ? parts.slice(0, -1) : parts;
  // Only words that no shell changes.
  if (!servers.every((server) => /^[\w./:@%+,-][\w./:@%+,= -]*$/.test(server))) return undefined;
  return servers.map((server) => server.split(/ +/));
}

/**
 * What of a smoke test can share one start of the interpreter with the imports: commands, and the servers if they are
 * programs of the virtual environment. Which they are, the interpreter itself finds out.
 * @returns undefined if that is nothing
 */
export async function sharedPrograms(
  container: Container,
  { exec, http, imports }: SmokePlan,
  seconds: number,
): Promise<SharedPrograms | undefined> {
  if (imports === undefined) return undefined;
  const [entrypoint, args] = await Promise.all([container.entrypoint(), container.defaultArgs()]);
  const servers = http.length === 0 ? [] : (serversOf([...entrypoint, ...args]) ?? []);
  const commands = exec.flatMap(({ command, platforms }) => (platforms === "every" ? [command] : []));
  if (servers.length + commands.length === 0) return undefined;
  return { commands, servers, requests: http, seconds };
}
