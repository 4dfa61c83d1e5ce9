import { describe, expect, it } from "vitest";
import { MountTable } from "../src/dockerfile/mount-table.js";
import { runSpec, type BuildahSpec } from "../src/dockerfile/run-spec.js";

const BUNDLE = "/home/e/w/1/buildah/buildah7";

/** As buildah 1.28 leaves them: each mount's source is bound below the bundle. */
const TABLE = new MountTable(
  [
    "27 1 254:0 / / rw - ext4 /dev/vda rw",
    "25 27 0:27 / /dev/shm rw - tmpfs tmpfs rw",
    "40 27 254:0 /home/e/containers/root/overlay /home/e/containers/root/overlay rw - ext4 /dev/vda rw",
    "41 40 0:50 / /home/e/containers/root/overlay/abc/merged rw - overlay overlay rw",
    "42 27 0:51 / /home/e/w/1/context rw - overlay overlay rw",
    `50 27 0:51 /sub\\040dir ${BUNDLE}/mnt/t-context rw - overlay overlay rw`,
    `51 27 0:50 /esc ${BUNDLE}/mnt/t-stage rw - overlay overlay rw`,
    `52 27 254:0 / ${BUNDLE}/mnt/t-root rw - ext4 /dev/vda rw`,
    `53 27 254:0 /home/e/w/1/buildah/buildah-cache/x ${BUNDLE}/mnt/t-cache rw - ext4 /dev/vda rw`,
    `54 27 254:0 /root/.ssh ${BUNDLE}/mnt/t-ssh rw - ext4 /dev/vda rw`,
    `55 27 254:0 /home/e/containers/root/overlay/other/diff ${BUNDLE}/mnt/t-storage rw - ext4 /dev/vda rw`,
    `56 27 254:0 /home/e/containers/root/overlay-containers/ab12/userdata/buildah-volumes/1 ${BUNDLE}/mnt/t-volume rw - ext4 x rw`,
    `57 27 0:27 /buildah123 ${BUNDLE}/mnt/t-secret rw - tmpfs tmpfs rw`,
    `58 27 0:27 /tgo-engine-x/auth.json ${BUNDLE}/mnt/t-auth rw - tmpfs tmpfs rw`,
    `59 27 254:0 /etc/ca.pem ${BUNDLE}/mnt/t-ca rw - ext4 /dev/vda rw`,
  ].join("\n"),
);

const GRANTS = {
  context: "/home/e/w/1/context",
  storage: "/home/e/containers/root",
  temporary: "/home/e/w/1/buildah",
  caBundle: "/etc/ca.pem",
  hosts: "/home/e/w/1/hosts",
  resolvConf: "/home/e/w/1/resolv.conf",
  network: "/home/e/w/1/network",
};

interface Spec {
  readonly process: object;
  readonly mounts: readonly { readonly destination: string; readonly options: readonly string[] }[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly devices?: unknown;
  };
}

function spec(mounts: BuildahSpec["mounts"], more: object = {}): Spec {
  const given = {
    process: { args: ["sh"], env: ["A=1", "HOSTNAME=3c0906b61793"], cwd: "/srv", user: { uid: 5, gid: 6 } },
    root: { path: `${BUNDLE}/mnt/rootfs` },
    ...(mounts === undefined ? {} : { mounts }),
    ...more,
  };
  return runSpec(given, TABLE, GRANTS) as Spec;
}

const bind = (name: string, destination = "/mnt/x", options = ["rw", "rbind"]) => ({
  ...{ destination, type: "bind", source: `${BUNDLE}/mnt/t-${name}`, options },
});

describe("a RUN line's configuration", () => {
  it("has buildah's command, and nothing else that buildah or a Dockerfile's flags set", () => {
    const made = spec([], {
      linux: { namespaces: [], devices: [{ path: "/dev/sda" }], seccomp: null },
      process: {
        ...{ args: ["sh"], env: ["A=1", "HOSTNAME=3c0906b61793"], cwd: "/srv", user: { uid: 5, gid: 6 } },
        ...{ noNewPrivileges: false, capabilities: { effective: ["CAP_SYS_ADMIN"] } },
      },
    });
    expect(made.process).toMatchObject({
      ...{ args: ["sh"], env: ["A=1", "HOSTNAME=engine"], cwd: "/srv", noNewPrivileges: true },
      capabilities: { effective: [], permitted: [] },
    });
    expect(made.linux.devices).toBeUndefined();
    expect(made.linux.namespaces.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["pid", "ipc", "uts", "mount", "network"]),
    );
    expect(made.linux.namespaces).toContainEqual({ type: "network", path: GRANTS.network });
  });

  it.each(["context", "stage", "cache", "volume", "secret", "ca"])("may mount its %s", (name) => {
    expect(spec([bind(name)]).mounts.at(-1)).toMatchObject({ destination: "/mnt/x" });
    expect(spec([bind(name)]).mounts.at(-1)?.options).toContain("nodev");
    expect(spec([bind(name, "/mnt/x", ["ro", "rbind"])]).mounts.at(-1)?.options).toContain("ro");
  });

  it.each(["root", "ssh", "storage", "auth", "missing"])("may not mount what leads elsewhere: %s", (name) => {
    expect(() => spec([bind(name)])).toThrow(
      expect.objectContaining({ code: "BUILD", what: expect.stringContaining("/mnt/x") as string }) as Error,
    );
  });

  it("may not mount over the kernel's files", () => {
    for (const destination of ["/proc", "/proc/self", "/sys/fs", "/dev/shm/../x", "/a/../proc"])
      expect(() => spec([bind("context", destination)])).toThrow(/outside of the build/);
  });

  it("has this engine's name servers and hosts, whatever buildah mounts there", () => {
    const { mounts } = spec([bind("root", "/etc/resolv.conf"), bind("root", "/etc/hosts")]);
    expect(mounts.filter(({ destination }) => destination.startsWith("/etc/"))).toMatchObject([
      { destination: "/etc/hosts", source: GRANTS.hosts },
      { destination: "/etc/resolv.conf", source: GRANTS.resolvConf },
    ]);
  });
});
