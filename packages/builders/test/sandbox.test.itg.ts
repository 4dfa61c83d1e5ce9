import { existsSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSocket, type Socket } from "node:dgram";
import { createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Container, Platform } from "@dagger.io/dagger";
import { startBaseMirror } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildVariants } from "../src/build-variants.js";
import { prepareBuild } from "../src/prepare-build.js";
import { buildContext, startSession, writeProject, type EngineSession } from "./support/build-context.js";
import { startPythonIndex, type PythonIndex } from "./support/python-index.js";

const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const CORE_PATTERN = "/proc/sys/kernel/core_pattern";

let folder: string;
let mirror: Awaited<ReturnType<typeof startBaseMirror>>;
let index: PythonIndex;
let session: EngineSession;
/** A service of this machine that every local program can use. */
let server: Server;
/** The same for datagrams, at the same port. */
let datagrams: Socket;
let connections = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-sandbox-"));
  server = createServer((socket) => {
    connections++;
    socket.end();
  });
  datagrams = createSocket("udp6", () => connections++);
  const listening = new Promise<void>((resolve) => {
    server.listen(0, "::", () => {
      datagrams.bind(portOf(server), "::", resolve);
    });
  });
  [mirror, index] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startPythonIndex([{ name: "words", version: "1.0", tag: "py3-none-any", files: { "words.py": "" } }]),
    listening,
  ]);
  session = await startSession({
    home: join(folder, "engine"),
    reachable: [index.url],
    mirrors: { "docker.io": mirror.host },
    ...(existsSync(CA_BUNDLE) ? { caBundle: CA_BUNDLE } : {}),
  });
});

afterAll(async () => {
  await session.stop();
  server.close();
  datagrams.close();
  await Promise.all([mirror.stop(), index.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/**
 * A script that names everything it could do to this machine, and then says that it ran. Each attempt must work on a machine
 * without a sandbox: the first one proves that the way of asking does.
 * @param connect a command that connects to the host and port that follow
 */
function attempts(connect: string): string {
  const port = portOf(server);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const addresses = own.filter(({ scopeid }) => (scopeid ?? 0) === 0).map(({ address }) => address);
  const all = {
    control: "true",
    "write core_pattern": `echo escaped > ${CORE_PATTERN}`,
    "write core_pattern after a remount": `mount -o remount,rw /proc/sys && echo escaped > ${CORE_PATTERN}`,
    "use sysrq": "echo h > /proc/sysrq-trigger",
    "make a block device": "mknod /tmp/block b 7 0",
    "make a device of memory": "mknod /tmp/memory c 1 1",
    "see loop devices": "ls /dev/loop*",
    "see disks": "ls /dev/vd* /dev/sd* /dev/nvme* | grep .",
    mount: "mkdir -p /tmp/m && mount -t tmpfs none /tmp/m",
    "mount the devices": "mkdir -p /tmp/m && mount -t devtmpfs none /tmp/m",
    "write sysfs": "echo 1 > /sys/kernel/mm/ksm/run",
    "remount sysfs": "mount -o remount,rw /sys",
    "read kernel memory": "head -c 1 /proc/kcore | grep -q .",
    "read kernel keys": "grep -q . /proc/keys",
    "see processes of the host": "grep -laE '[v]itest|[s]lirp4netns' /proc/[0-9]*/cmdline",
    "signal a process of the host": `kill -0 ${process.pid}`,
    "enter a user namespace": "unshare --user true",
    "enter a mount namespace": "unshare --mount true",
    "enter the first process's namespaces": "nsenter --target 1 --uts true",
    "rename the host": "hostname escaped",
    "read the kernel's log": "dmesg",
    ...Object.fromEntries(addresses.map((address) => [`reach ${address}`, `${connect} ${address} ${port}`])),
    ...(connect === PYTHON_CONNECT ? packets(port) : {}),
    "reach the gateway": gateways(2, connect, port),
    "reach the host through its name server's address": gateways(3, connect, port),
  };
  const lines = Object.entries(all).map(
    ([name, command]) => `( ${command} ) >/dev/null 2>&1 && echo "${name}"`,
  );
  return [...lines, "echo done"].join("\n");
}

function portOf(of: Server): number {
  return (of.address() as AddressInfo).port;
}

/**
 * Packets for this machine's loopback that do not ask the routes of the step's network. Sending a datagram says nothing
 * about its arrival, so that it fails is said at once.
 */
function packets(port: number): Record<string, string> {
  const python = (lines: string): string => `python3 -c 'import os, socket, struct, sys\n${lines}'`;
  const bound = (type: string): string =>
    `s = socket.socket(socket.AF_INET, socket.${type}); s.settimeout(2)\ns.setsockopt(socket.SOL_SOCKET, 25, b"tap0")\n`;
  const capable = 'struct.pack("<IIIII", 0x02000001, 1 << 13, 1 << 13, 0, 0)';
  return {
    "connect past the loopback interface": python(`${bound("SOCK_STREAM")}s.connect(("127.0.0.1", ${port}))`),
    "send past the loopback interface": python(
      `${bound("SOCK_DGRAM")}s.sendto(b"x", ("127.0.0.1", ${port}))\nsys.exit(1)`,
    ),
    "make packets": python("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    "write headers of packets": python("socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)"),
    "make packets with a file's capability": [
      "cp $(readlink -f $(command -v python3)) /tmp/capable",
      python(`os.setxattr("/tmp/capable", "security.capability", ${capable})`),
      `/tmp/capable -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'`,
    ].join(" && "),
  };
}

/** Tries this address of every network that a step can be in. */
function gateways(last: number, connect: string, port: number): string {
  return ["198.51.100", "203.0.113", "192.0.2"]
    .map((prefix) => `${connect} ${prefix}.${last} ${port}`)
    .join(" || ");
}

const NODE_CONNECT = `node -e 'const s = require("net").connect(process.argv[2], process.argv[1], () => process.exit(0)); s.on("error", () => process.exit(1)); setTimeout(() => process.exit(1), 3000)'`;
const PYTHON_CONNECT = `python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)'`;

interface Attempt {
  readonly build: object;
  readonly files: Readonly<Record<string, string>>;
  /** The file of the image that the script's output is in. */
  readonly output: string;
}

/** What the script of an attempt could do. */
async function outcome({ build, files, output }: Attempt): Promise<string[]> {
  const { client } = session;
  const source = await writeProject(folder, files);
  const mirrors = { images: { "docker.io": mirror.host } };
  const all = await buildContext(client, {
    catalog: { services: { bot: { title: "Bot", build } }, registries: {}, mirrors },
  });
  const context = { ...all, platforms: [all.native] };
  const { bot } = context.catalog.services;
  if (bot === undefined) throw new Error("no service");
  const request = await prepareBuild(context, "bot", bot, { source: client.host().directory(source) });
  const [variant] = (await buildVariants(request)).variants;
  return ((await variant?.container.file(output).contents()) ?? "").trim().split("\n");
}

describe.concurrent("A build step of the local engine can do nothing to this machine:", () => {
  const before = readFileSync(CORE_PATTERN, "utf8");

  const refused = async (attempt: Attempt): Promise<void> => {
    expect(await outcome(attempt)).toEqual(["control", "done"]);
    expect(connections).toBe(0);
    expect(readFileSync(CORE_PATTERN, "utf8")).toBe(before);
  };

  it("a command of a Python service", () =>
    refused({
      build: {
        strategy: "python",
        data: [
          {
            command: ["sh", "-c", `mkdir /srv/x; (${attempts(PYTHON_CONNECT)}) > /srv/x/out`],
            output: "/srv/x",
          },
        ],
      },
      files: {
        "pyproject.toml": '[project]\nname = "bot"\nversion = "1.0"\nrequires-python = ">=3.11"\n',
        "requirements.txt": `--extra-index-url ${index.url}\n${index.requirement("words")}\n`,
        "bot.py": "",
      },
      output: "/srv/x/out",
    }));

  it("the build script of a web service", () =>
    refused({
      build: { strategy: "static-web" },
      files: {
        "package.json": JSON.stringify({
          ...{ name: "web", version: "1.0.0", private: true },
          scripts: { build: "mkdir dist && echo '<html></html>' > dist/index.html && sh try.sh > dist/out" },
        }),
        "package-lock.json": JSON.stringify({
          ...{ name: "web", version: "1.0.0", lockfileVersion: 3, requires: true },
          packages: { "": { name: "web", version: "1.0.0" } },
        }),
        "try.sh": attempts(NODE_CONNECT),
      },
      output: "/usr/share/nginx/html/out",
    }));

  it("a RUN line of a Dockerfile", () =>
    refused({
      build: { strategy: "dockerfile" },
      files: {
        Dockerfile: "FROM docker.io/library/python:3.11-slim\nCOPY try.sh /\nRUN sh /try.sh > /out\n",
        "try.sh": attempts(PYTHON_CONNECT),
      },
      output: "/out",
    }));
});

describe("What Docker's default allows works,", () => {
  /** Packages, users, owners, modes and ports; the list at the end says who the files belong to. */
  const script = (packages: readonly string[]): string =>
    [
      "set -ex",
      ...packages,
      "adduser --disabled-password --gecos '' someone",
      "mkdir /made && cp /bin/true /made/tool && chown someone:someone /made && chmod 4755 /made/tool",
      "su someone -c 'id -un; touch /made/own'",
      "mkfifo /made/pipe && chroot / true",
      listen("127.0.0.1", 80),
      `su someone -c "${listen("0.0.0.0", 81).replaceAll('"', '\\"')}"`,
      "stat -c '%a %U' /made/tool /made/own > /made/list",
    ].join("\n");
  const listen = (host: string, port: number): string =>
    `python3 -c "import socket; socket.create_server(('${host}', ${port})).close()"`;
  const LIST = "4755 root\n644 someone\n";

  const base = (image: string): string => `${mirror.host}/library/${image}`;
  const checked = async (made: Container): Promise<void> => {
    expect(await made.file("/made/list").contents()).toBe(LIST);
    expect(await made.withExec(["stat", "-c", "%a", "/made/tool"]).stdout()).toBe("4755\n");
  };

  it("in a RUN line, with packages from the network", async () => {
    const text = script([
      "apt-get update -qq && apt-get install -qq --no-install-recommends tree libcap2-bin >/dev/null && tree --version",
      "pip install -q --no-cache-dir --root-user-action ignore idna && python3 -c 'import idna'",
      "cp /bin/true /capable && setcap cap_net_bind_service+ep /capable",
      // A file capability that a step does not get must not keep the program from starting.
      "cp /bin/true /raw && setcap cap_net_raw+ep /raw && /raw",
    ]);
    const made = session.client
      .directory()
      .withNewFile("try.sh", text)
      .withNewFile("Dockerfile", `FROM ${base("python:3.11-slim")}\nCOPY try.sh /\nRUN sh /try.sh\n`)
      .dockerBuild({ platform: "linux/amd64" as Platform });
    await checked(made);
  });

  // With packages of this machine, because apt and npm take a minute to read the network's lists under emulation.
  it("in an emulated command", async () => {
    const deb = await ownPackage();
    const run = (image: string, text: string): Container =>
      session.client
        .container({ platform: "linux/arm64" as Platform })
        .from(base(image))
        .withFile("/own.deb", session.client.host().file(deb))
        .withNewFile("/try.sh", text)
        .withExec(["sh", "/try.sh"]);
    const made = run(
      "python:3.11-slim",
      script([
        "apt-get install -qq /own.deb && test $(stat -c '%a %U' /usr/lib/own | tr ' ' /) = 2755/games",
        `pip install -q --no-cache-dir --root-user-action ignore --index-url ${index.url} words`,
      ]),
    );
    await Promise.all([
      checked(made),
      expect(run("node:20-alpine", NPM).file("/list").contents()).resolves.toBe("4755 root\n"),
    ]);
  });
});

/** A Debian package whose script changes the owner and the mode of its file. @returns its path */
async function ownPackage(): Promise<string> {
  const root = join(folder, "own");
  await mkdir(join(root, "DEBIAN"), { recursive: true });
  await mkdir(join(root, "usr/lib"), { recursive: true });
  await writeFile(join(root, "usr/lib/own"), "");
  const control = [
    "Package: own",
    "Version: 1",
    "Architecture: all",
    "Maintainer: a <a@b>",
    "Description: own",
    "",
  ];
  await writeFile(join(root, "DEBIAN/control"), control.join("\n"));
  const script = "#!/bin/sh\nset -e\nchown games /usr/lib/own\nchmod 2755 /usr/lib/own\n";
  await writeFile(join(root, "DEBIAN/postinst"), script, { mode: 0o755 });
  execFileSync("dpkg-deb", ["--build", "--root-owner-group", root, `${root}.deb`], { stdio: "ignore" });
  return `${root}.deb`;
}

/** npm ci with a package whose install script builds something. */
const NPM = [
  "set -e",
  "mkdir -p /app/own && cd /app",
  `echo '{"name":"own","version":"1.0.0","scripts":{"install":"id -u > built && chmod 4755 built"}}' > own/package.json`,
  `echo '{"name":"app","version":"1.0.0","dependencies":{"own":"file:own"}}' > package.json`,
  `echo '${JSON.stringify({
    ...{ name: "app", version: "1.0.0", lockfileVersion: 3, requires: true },
    packages: {
      "": { name: "app", version: "1.0.0", dependencies: { own: "file:own" } },
      "node_modules/own": { resolved: "own", link: true },
      own: { version: "1.0.0", hasInstallScript: true },
    },
  })}' > package-lock.json`,
  "npm ci --no-audit --no-fund",
  "stat -c '%a %U' own/built > /list",
].join("\n");
