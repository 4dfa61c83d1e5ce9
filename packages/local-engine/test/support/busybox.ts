import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Container } from "@dagger.io/dagger";
import { platform } from "./session.js";

const APPLETS =
  "sh cat ls echo id env uname sleep wget nc httpd mkdir rm mv cp ln true false pwd touch stat ps kill test find " +
  "date hostname head tail tr sort grep chmod chown wc sync dd seq";

/** The busybox image of a registry. */
export function busybox(client: Client, address: string, name = "linux/amd64"): Container {
  return client.container({ platform: platform(name) }).from(address);
}

/**
 * A root file system of one statically linked program, from Debian's package for either architecture: small, real, and
 * available without Docker Hub. Made once per machine.
 */
export function busyboxRoot(architecture: "amd64" | "arm64"): string {
  const kept = join(tmpdir(), `tgo-engine-test-busybox-${architecture}`);
  if (existsSync(kept)) return kept;
  const work = `${kept}.${process.pid}`;
  const root = join(work, "root");
  for (const folder of ["bin", "etc", "tmp", "root", "home/app", "usr/bin", "usr/share"])
    mkdirSync(join(root, folder), { recursive: true });
  const deb = download(architecture, join(work, "apt"));
  execFileSync("bash", [
    "-c",
    'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./bin/busybox',
    "unpack",
    deb,
    root,
  ]);
  for (const applet of APPLETS.split(" ")) symlinkSync("busybox", join(root, "bin", applet));
  writeFileSync(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
  );
  writeFileSync(join(root, "etc/group"), "root:x:0:\napp:x:1000:\nextra:x:50:app\n");
  execFileSync("chmod", ["1777", join(root, "tmp")]);
  execFileSync("chown", ["1000:1000", join(root, "home/app")]);
  try {
    renameSync(root, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error;
  }
  rmSync(work, { recursive: true, force: true });
  return kept;
}

/** Uses its own apt state, so that the machine's does not get another architecture. */
function download(architecture: string, folder: string): string {
  for (const part of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "status"), "");
  const options = [
    `Dir::State=${folder}`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  execFileSync("apt-get", [...options, "-qq", "update"], { stdio: "inherit" });
  execFileSync("apt-get", [...options, "-qq", "download", "busybox-static"], {
    cwd: folder,
    stdio: "inherit",
  });
  const deb = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (deb === undefined) throw new Error("apt-get downloaded no package");
  return join(folder, deb);
}
