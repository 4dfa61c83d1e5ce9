import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A file on the index, with the content of its archive. */
export interface Distribution {
  readonly name: string;
  readonly version: string;
  /** A wheel's tag, e.g. py3-none-any; a source archive if omitted. */
  readonly tag?: string;
  readonly files: Readonly<Record<string, string>>;
  /** Marks it as yanked, for this reason. */
  readonly yanked?: string;
  /** Serves other bytes than those that were hashed. */
  readonly damaged?: true;
  /** The credentials that it requires: name:password. */
  readonly credentials?: string;
}

export interface PythonIndex {
  /** The address of the simple API (PEP 503). */
  readonly url: string;
  /** A locked requirement, with the hash of its file. */
  readonly requirement: (name: string) => string;
  readonly stop: () => Promise<void>;
}

/** Starts a Python package index on this machine with a few packages. */
export async function startPythonIndex(distributions: readonly Distribution[]): Promise<PythonIndex> {
  const packed = await Promise.all(distributions.map(async (of) => ({ of, data: await pack(of) })));
  const server = createServer((request, response) => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    if (kind === "simple") {
      const links = packed
        .filter(({ of }) => of.name === name)
        .map(({ of, data }) => {
          const yanked = of.yanked === undefined ? "" : ` data-yanked="${of.yanked}"`;
          return `<a href="/files/${fileName(of)}#sha256=${sha256(data)}"${yanked}>${fileName(of)}</a>`;
        });
      response.writeHead(links.length > 0 ? 200 : 404, { "content-type": "text/html" }).end(links.join("\n"));
      return;
    }
    const found = packed.find(({ of }) => fileName(of) === name);
    const wanted = found?.of.credentials;
    const given = Buffer.from(
      (request.headers.authorization ?? "").replace("Basic ", ""),
      "base64",
    ).toString();
    if (found === undefined) response.writeHead(404).end();
    else if (wanted !== undefined && wanted !== given) response.writeHead(401).end();
    else response.writeHead(200).end(found.of.damaged === undefined ? found.data : "other bytes");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/simple`,
    requirement: (name) => {
      const all = packed.filter(({ of }) => of.name === name);
      const hashes = all.map(({ data }) => `--hash=sha256:${sha256(data)}`);
      return `${name}==${all[0]?.of.version ?? ""} ${hashes.join(" ")}`;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function fileName({ name, version, tag }: Distribution): string {
  return `${name.replaceAll("-", "_")}-${version}${tag === undefined ? ".tar.gz" : `-${tag}.whl`}`;
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Creates archives with Python's own libraries. */
const PACK = `
import io, json, sys, tarfile, zipfile
path, name, version, tag, files = json.loads(sys.argv[1])
metadata = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
folder = f"{name.replace('-', '_')}-{version}"
if tag:
    info = f"{folder}.dist-info"
    files |= {f"{info}/METADATA": metadata, f"{info}/WHEEL": f"Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: {tag}\\n"}
    files[f"{info}/RECORD"] = "".join(f"{file},,\\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
else:
    with tarfile.open(path, "w:gz") as archive:
        for file, text in (files | {"PKG-INFO": metadata}).items():
            entry = tarfile.TarInfo(f"{folder}/{file}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
`;

async function pack({ name, version, tag, files }: Distribution): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-pack-"));
  const path = join(folder, "archive");
  await execute("python3", ["-c", PACK, JSON.stringify([path, name, version, tag ?? null, files])]);
  const data = await readFile(path);
  await rm(folder, { recursive: true });
  return data;
}
