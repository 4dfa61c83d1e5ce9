/**
 * Runs the demo's registries in a process of its own, so that they can outlive the demo. Writes their addresses to a
 * JSON file, then runs until SIGTERM.
 */
import { rename, writeFile } from "node:fs/promises";
import { startBaseMirror, startRegistry } from "@tgo/testing";
import type { DemoRegistries } from "./registry-process.js";

const [folder = ".demo", standIns] = process.argv.slice(2);
const log = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const [mirror, ...registries] = await Promise.all([
  standIns === "stand-ins" ? startBaseMirror({ log }) : undefined,
  startRegistry({ auth: "none", storage: `${folder}/open` }),
  startRegistry({ auth: "basic", storage: `${folder}/basic` }),
  startRegistry({ auth: "bearer", storage: `${folder}/bearer` }),
]);
const names = ["open", "basic", "bearer"];
const running: DemoRegistries = {
  pid: process.pid,
  ...(mirror === undefined ? {} : { mirror: mirror.host }),
  registries: registries.map(({ host, username, password }, index) => ({
    name: names[index] ?? host,
    host,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    isPublic: index === 0,
  })),
};
await writeFile(`${folder}/registries.json.part`, JSON.stringify(running), { mode: 0o600 });
await rename(`${folder}/registries.json.part`, `${folder}/registries.json`);

const stop = (): void => {
  const running = mirror === undefined ? registries : [mirror, ...registries];
  void Promise.all(running.map((registry) => registry.stop())).then(() => process.exit(0));
};
process.on("SIGTERM", stop);
// The demo handles Ctrl-C and stops this process.
process.on("SIGINT", () => undefined);
setInterval(() => undefined, 60_000);
