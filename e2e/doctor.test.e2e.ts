import { dockerConfig, startRegistry, type LocalRegistry } from "@tgo/testing";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { execute, ROOT } from "./harness.js";

interface Machine {
  /** Shell commands, in a mount namespace of their own: this machine stays as it is. */
  readonly broken: string;
  /** Of doctor's rows, all that are not ok. */
  readonly rows: Readonly<Record<string, RegExp>>;
  /** What the remedy asks for; absent: the remedy itself, as a shell runs it. */
  readonly mended?: string;
  /** A user namespace has emulators of its own, from Linux 6.7 on. */
  readonly user?: boolean;
}

const BINFMT = "/proc/sys/fs/binfmt_misc";
const REGISTER =
  String.raw`:qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:` +
  String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:`;
/** An overlay from which programs are removed. */
const without = (...programs: string[]): string =>
  `mkdir o && mount -t tmpfs tmpfs o && mkdir o/u o/w && mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=o/u,workdir=o/w /usr/bin && rm ${programs.map((name) => `/usr/bin/${name}`).join(" ")}`;

const MACHINES: Readonly<Record<string, Machine>> = {
  "a list of emulators that is not mounted": {
    broken: `umount ${BINFMT}`,
    rows: { "runs linux/arm64": /not mounted/ },
  },
  "all emulators disabled": {
    user: true,
    broken: `mount -t binfmt_misc binfmt_misc ${BINFMT} && printf %s '${REGISTER}OCF' > ${BINFMT}/register && echo 0 > ${BINFMT}/status`,
    rows: { "runs linux/arm64": /all emulators are disabled/ },
  },
  "no emulator": {
    user: true,
    broken: `mount -t binfmt_misc binfmt_misc ${BINFMT}`,
    rows: { "runs linux/arm64": /no emulation is registered/ },
    mended: `printf %s '${REGISTER}OCF' > ${BINFMT}/register`,
  },
  "an emulator that images do not see": {
    user: true,
    broken: `mount -t binfmt_misc binfmt_misc ${BINFMT} && printf %s '${REGISTER}OC' > ${BINFMT}/register`,
    rows: { "runs linux/arm64": /without the flag F/ },
    mended: `echo -1 > ${BINFMT}/qemu-aarch64 && printf %s '${REGISTER}OCF' > ${BINFMT}/register`,
  },
  "a disk of 1 MB": {
    broken: 'mount -t tmpfs -o size=1M tmpfs "$XDG_CACHE_HOME"',
    rows: { disk: /0\.0 GB of disk left/ },
    mended: 'umount "$XDG_CACHE_HOME"',
  },
  "a disk that takes no more files": {
    broken: 'mount -t tmpfs -o size=4G,nr_inodes=9 tmpfs "$XDG_CACHE_HOME"',
    rows: { disk: /takes only \d more files/ },
    mended: 'export XDG_CACHE_HOME="$PWD/other"',
  },
  "a read-only disk": {
    broken: 'mount --bind "$XDG_CACHE_HOME" "$XDG_CACHE_HOME" && mount -o remount,ro,bind "$XDG_CACHE_HOME"',
    rows: { disk: /read-only file system/ },
    mended: 'export XDG_CACHE_HOME="$PWD/other"',
  },
  "programs that are not installed": {
    broken: without("crun", "slirp4netns", "git"),
    rows: { engine: /missing: crun, slirp4netns/, git: /not installed/ },
    mended: "umount -l /usr/bin",
  },
  "an engine that is gone": {
    broken: "export _EXPERIMENTAL_DAGGER_RUNNER_HOST=tcp://127.0.0.1:9",
    rows: { engine: /Dagger's engine cannot be reached at 127\.0\.0\.1:9/ },
    mended: "unset _EXPERIMENTAL_DAGGER_RUNNER_HOST",
  },
  "an engine's socket that is gone": {
    broken: 'export _EXPERIMENTAL_DAGGER_RUNNER_HOST="unix://$PWD/none.sock"',
    rows: { engine: /none\.sock: no such file/ },
    mended: "unset _EXPERIMENTAL_DAGGER_RUNNER_HOST",
  },
  "a proxy that is gone": {
    broken: "export HTTPS_PROXY=http://127.0.0.1:9",
    rows: { "proxy HTTPS_PROXY": /connection refused/ },
    mended: "unset HTTPS_PROXY",
  },
  "no login": {
    broken: "rm config.json",
    rows: { "registry mine": /no login/ },
    mended: "cp login.json config.json",
  },
  "an expired login": {
    broken: 'sed -i \'s/"auth": *"[^"]*"/"auth":"bm86bm8="/\' config.json',
    rows: { "registry mine": /refuses the login/ },
    mended: "cp login.json config.json",
  },
};

let folder: string;
let registry: LocalRegistry;
beforeAll(async () => {
  registry = await startRegistry({ auth: "basic" });
});
afterAll(async () => {
  await registry.stop();
});

interface Row {
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly remedy?: string;
}

/** Runs doctor on a broken machine, follows its remedy there, and runs it again. */
async function look({ broken, mended, user = false }: Machine): Promise<{ ok: boolean; rows: Row[] }[]> {
  const doctor = `"${process.execPath}" "${ROOT}/apps/tgo/bin/tgo.js" doctor --format json`;
  const script = [
    `export XDG_CACHE_HOME="$PWD/cache" DOCKER_CONFIG="$PWD"`,
    "unset NODE_EXTRA_CA_CERTS HTTPS_PROXY HTTP_PROXY DAGGER_SESSION_PORT _EXPERIMENTAL_DAGGER_RUNNER_HOST",
    `{ ${broken}; } || exit 9`,
    `${doctor} > before.json`,
    mended ??
      `"${process.execPath}" -p 'JSON.parse(require("fs").readFileSync("before.json")).rows.map((row) => row.remedy ?? "").join("\\n")' > remedy.sh && sh -e remedy.sh`,
    `${doctor} > after.json`,
    "cat before.json; echo ,; cat after.json",
  ].join("\n");
  const { stdout, stderr } = await execute(
    "unshare",
    [...(user ? ["--user", "--map-root-user"] : []), "--mount", "bash", "-c", `cd "${folder}"\n${script}`],
    folder,
  );
  try {
    return JSON.parse(`[${stdout}]`) as { ok: boolean; rows: Row[] }[];
  } catch {
    throw new Error(`${stdout}\n${stderr}`);
  }
}

it.each(Object.entries(MACHINES))(
  "doctor on a machine with %s names it; with its remedy it is fine",
  async (_, machine) => {
    folder = mkdtempSync(join(tmpdir(), "tgo-doctor-"));
    try {
      mkdirSync(join(folder, "cache"));
      for (const name of ["config.json", "login.json"])
        writeFileSync(join(folder, name), dockerConfig([registry]));
      writeFileSync(
        join(folder, "tgo.catalog.json"),
        JSON.stringify({
          extends: "none",
          services: {},
          registries: { mine: { host: registry.host, repository: "me/{service}" } },
        }),
      );
      const [before, after] = await look(machine);
      const wrong = before?.rows.filter(({ state }) => state !== "ok") ?? [];
      expect(wrong.map(({ check }) => check)).toEqual(Object.keys(machine.rows));
      for (const { check, found, remedy } of wrong) {
        expect(found).toMatch(machine.rows[check] ?? /^$/);
        expect(remedy).toMatch(/\w/);
      }
      expect(after?.rows.filter(({ state }) => state !== "ok")).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
