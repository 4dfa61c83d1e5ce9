/**
 * Publishes two sample services for both platforms to three real registries on this machine, one digest each.
 * `npm run demo -- --keep` leaves the registries running, `--stop` stops them.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isTgoError, TgoError } from "@tgo/errors";
import { dockerConfig, dockerHubIsReachable, installRequirements, missingRequirements } from "@tgo/testing";
import { inspectCommands } from "./inspect-commands.js";
import {
  areRegistriesRunning,
  startRegistries,
  stopRegistries,
  type DemoRegistries,
} from "./registry-process.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const FOLDER = `${ROOT}/.demo`;
const SERVICES = "tgo-api,tgo-web";
const SOURCE = ["--source", "examples/repos"];
const SETTINGS = ["--catalog", ".demo/tgo.catalog.json", "--docker-config", "file:.demo/docker-config.json"];

const started = performance.now();
const print = (text = ""): void => {
  process.stdout.write(`${text}\n`);
};
const title = (text: string): void => {
  print(`\n== ${text} [${((performance.now() - started) / 1000).toFixed(0)} s]`);
};

async function demo(keep: boolean): Promise<number> {
  print("Publishes two sample services (tgo-api, tgo-web) as linux/amd64 + linux/arm64 images to three");
  print(
    "registries on this machine, verifies them, and prints the reports. Downloads base images and packages",
  );
  print("(PyPI, npm); pushes nothing beyond this machine.");
  await installMissing();

  const standIns = !(await dockerHubIsReachable());
  title(standIns ? "Base images and registries" : "Registries");
  print(
    standIns
      ? "Docker Hub is unreachable: using stand-ins for python, node and nginx, made of Debian packages."
      : "Docker Hub is reachable: using the real python, node and nginx images.",
  );
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const registries = await startRegistries(FOLDER, standIns, print);
  await writeSettings(registries);

  title(`Publish: tgo publish --service ${SERVICES}`);
  const published = await tgo(["publish", "--service", SERVICES, ...SOURCE, ...SETTINGS]);
  if (published !== 0) return reportFailure(published);

  title(`Verify the registries: tgo verify --service ${SERVICES}`);
  const verified = await tgo(["verify", "--service", SERVICES, ...SOURCE, ...SETTINGS]);
  if (verified !== 0) return reportFailure(verified);

  if (keep) {
    title("Try a release to these registries");
    print("docs/start.md goes on from here: publish a checkout, release it, a second version, and back.");
    print(`What is in them: npx --no-install tgo status --service ${SERVICES} ${SETTINGS.join(" ")}`);
  }

  title("Inspect the images yourself");
  if (!keep)
    print(
      "(The registries stop now. npm run demo -- --keep leaves them running and prints these commands for them.)",
    );
  print(await inspectCommands(registries, FOLDER));
  if (keep) print("\nThe registries keep running. Stop them with: npm run demo -- --stop");
  else await clear();
  return 0;
}

function reportFailure(code: number): number {
  print("The demo failed; its registries are stopped. Run it again with: npm run demo");
  return code;
}

/** Stops the registries and removes their data. */
async function clear(): Promise<boolean> {
  const stopped = await stopRegistries(FOLDER);
  await rm(FOLDER, { recursive: true, force: true });
  return stopped;
}

async function installMissing(): Promise<void> {
  const missing = await missingRequirements();
  title("Requirements");
  if (missing.length === 0) {
    print("Everything needed is installed.");
    return;
  }
  print("Installing (Debian packages, as root):");
  for (const { tool, why } of missing) print(`  ${tool.padEnd(22)} ${why}`);
  await installRequirements({ log: print });
}

/** Writes the demo's catalog override and credentials, as a user would. */
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
    // Makes tgo print its commands with npx.
    env: { ...process.env, npm_command: "exec" },
    stdio: "inherit",
  });
  // The terminal sends Ctrl-C to the child too, which reports the interruption.
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
    print(
      "npm run demo               publish two samples to three registries on this machine and verify them",
    );
    print("npm run demo -- --keep     the same, and leave the registries running");
    print("npm run demo -- --stop     stop those registries and remove their data");
    return 0;
  }
  const unknown = args.find((argument) => !["--keep", "--stop"].includes(argument));
  if (unknown !== undefined) {
    throw new TgoError("USAGE", `unknown option ${unknown}`, { remedy: "Options: --keep, --stop." });
  }
  if (args.includes("--stop")) {
    print(
      (await clear())
        ? "The demo's registries are stopped and their data is removed."
        : "No demo registries are running.",
    );
    return 0;
  }
  if (areRegistriesRunning(FOLDER) && existsSync(FOLDER)) {
    print("Stopping the registries of an earlier demo and removing their data.");
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
