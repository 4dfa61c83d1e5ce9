/**
 * The product on this machine, for real: three registries with different credentials, two services, both
 * platforms, one digest. `npm run demo -- --keep` leaves the registries up, `--stop` ends them.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isTgoError, TgoError } from "@tgo/errors";
import { dockerConfig, dockerHubAnswers, installRequirements, missingRequirements } from "@tgo/testing";
import { keptRegistries, startKeeper, stopKeeper, type DemoRegistries } from "./keeper.js";
import { lookYourself } from "./look.js";
import { nextCommands } from "./next.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const FOLDER = `${ROOT}/.demo`;
const SERVICES = "tgo-api,tgo-web";
const SOURCE = ["--source", "examples/repos"];
const SETTINGS = ["--catalog", ".demo/tgo.catalog.json", "--docker-config", "file:.demo/docker-config.json"];

const started = performance.now();
const say = (text = ""): void => {
  process.stdout.write(`${text}\n`);
};
const title = (text: string): void => {
  say(`\n== ${text} [${((performance.now() - started) / 1000).toFixed(0)} s]`);
};

async function demo(keep: boolean): Promise<number> {
  say(
    "This demo publishes two sample services (tgo-api, tgo-web) as linux/amd64 + linux/arm64 images to three",
  );
  say(
    "registries on this machine, verifies them, and prints the report. Base images and packages (PyPI, npm)",
  );
  say("are downloaded; nothing is pushed beyond this machine.");
  await installMissing();

  const standIns = !(await dockerHubAnswers());
  title(standIns ? "Base images and registries" : "Registries");
  say(
    standIns
      ? "Docker Hub does not answer: python, node and nginx are stood in for by images made from Debian packages."
      : "Docker Hub answers: the real python, node and nginx images are used.",
  );
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const registries = await startKeeper(FOLDER, standIns, say);
  await writeSettings(registries);

  title(`Publish: tgo publish --service ${SERVICES}`);
  const published = await tgo(["publish", "--service", SERVICES, ...SOURCE, ...SETTINGS]);
  if (published !== 0) return giveUp(published);

  title(`Verify what the registries hold: tgo verify --service ${SERVICES}`);
  const verified = await tgo(["verify", "--service", SERVICES, ...SOURCE, ...SETTINGS]);
  if (verified !== 0) return giveUp(verified);

  if (keep) {
    title("Go on: a release to these registries");
    say(await nextCommands({ root: ROOT, services: SERVICES, source: SOURCE, settings: SETTINGS }));
  }

  title("Look for yourself");
  if (!keep)
    say(
      "(The registries stop now. To try these, run npm run demo -- --keep, which prints them with its own.)",
    );
  say(await lookYourself(registries, FOLDER));
  if (keep) say("\nThe registries stay up. End them with: npm run demo -- --stop");
  else await clear();
  return 0;
}

function giveUp(code: number): number {
  say("The demo ends here, and its registries with it. Run it again with: npm run demo");
  return code;
}

/** Stops the registries and removes what they held. */
async function clear(): Promise<boolean> {
  const stopped = await stopKeeper(FOLDER);
  await rm(FOLDER, { recursive: true, force: true });
  return stopped;
}

async function installMissing(): Promise<void> {
  const missing = await missingRequirements();
  title("Requirements");
  if (missing.length === 0) {
    say("Everything needed is on this machine already.");
    return;
  }
  say("Will be installed or set up (Debian packages, as root):");
  for (const { tool, why } of missing) say(`  ${tool.padEnd(22)} ${why}`);
  await installRequirements({ log: say });
}

/** The demo's catalog override and credentials, as a user would write them. */
async function writeSettings({ registries, mirror }: DemoRegistries): Promise<void> {
  const catalog = {
    $schema: "../packages/catalog/schema/tgo.catalog.schema.json",
    registries: {
      ghcr: null,
      dockerhub: null,
      acr: null,
      ...Object.fromEntries(
        registries.map(({ name, host, isPublic }) => [
          name,
          { host, repository: "tgoai/{service}", required: true, public: isPublic },
        ]),
      ),
    },
    ...(mirror === undefined ? {} : { mirrors: { images: { "docker.io": mirror } } }),
  };
  await writeFile(`${FOLDER}/tgo.catalog.json`, `${JSON.stringify(catalog, null, 2)}\n`);
  await writeFile(`${FOLDER}/docker-config.json`, dockerConfig(registries), { mode: 0o600 });
}

function tgo(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["apps/tgo/bin/tgo.js", ...args], {
    cwd: ROOT,
    // So that tgo names itself as it is called here.
    env: { ...process.env, npm_command: "exec" },
    stdio: "inherit",
  });
  // Ctrl-C reaches the child by the terminal; it says what was interrupted.
  process.on("SIGINT", () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    say(
      "npm run demo               publish two samples to three registries of this machine, and verify them",
    );
    say("npm run demo -- --keep     the same, and leave the registries up");
    say("npm run demo -- --stop     end registries that were left up, and remove what they held");
    return 0;
  }
  const unknown = args.find((argument) => !["--keep", "--stop"].includes(argument));
  if (unknown !== undefined) {
    throw new TgoError("USAGE", `the demo has no option ${unknown}`, { remedy: "Options: --keep, --stop." });
  }
  if (args.includes("--stop")) {
    say(
      (await clear())
        ? "The demo's registries are stopped, and what they held is removed."
        : "No registries of the demo are running.",
    );
    return 0;
  }
  if (keptRegistries(FOLDER) && existsSync(FOLDER)) {
    say("Registries of an earlier demo are still up; they are stopped first, and what they held is removed.");
    await clear();
  }
  const keep = args.includes("--keep");
  try {
    const code = await demo(keep);
    if (code !== 0) await clear();
    return code;
  } catch (error) {
    await clear();
    throw error;
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `${isTgoError(error) ? error.message : error instanceof Error ? (error.stack ?? "") : String(error)}\n`,
    );
    const codes: Partial<Record<string, number>> = { USAGE: 2, INTERRUPTED: 130 };
    process.exitCode = isTgoError(error) ? (codes[error.code] ?? 1) : 1;
  },
);
