import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ExecError,
  ReturnType,
  type Client,
  type Container,
  type Directory,
  type Secret,
} from "@dagger.io/dagger";
import type { Credentials } from "@tgo/registry";
import { startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxRoot } from "./support/busybox.js";
import { busybox, executed, platform, session } from "./support/session.js";

let registry: LocalRegistry;
let host: string;
let image: string;
let home: string;
const folders: string[] = [];

beforeAll(async () => {
  registry = await startRegistry({ auth: "none" });
  ({ host } = registry);
  home = mkdtempSync(join(tmpdir(), "tgo-engine-test-"));
  image = await session({ home }, ({ client }) => {
    const variant = (architecture: "amd64" | "arm64"): Container =>
      client
        .container({ platform: platform(`linux/${architecture}`) })
        .withRootfs(client.host().directory(busyboxRoot(architecture), { exclude: ["home"] }))
        .withDirectory("/home/app", client.directory(), { owner: "app" })
        .withEnvVariable("PATH", "/bin")
        .withDefaultArgs(["sh"]);
    return client
      .container()
      .publish(`${host}/busybox:1`, { platformVariants: [variant("amd64"), variant("arm64")] });
  });
}, 120_000);

afterAll(async () => {
  await registry.stop();
  for (const path of [home, ...folders]) rmSync(path, { recursive: true, force: true });
});

const sh = (container: Container, script: string): Container => container.withExec(["sh", "-c", script]);
const base = (client: Client): Container => busybox(client, image);

/** A directory of the host with these files. */
function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "tgo-engine-files-"));
  folders.push(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

function inspect(reference: string): {
  config: Record<string, unknown> & { config: Record<string, unknown> };
  raw: Manifest;
} {
  const skopeo = (...args: string[]): string =>
    execFileSync("skopeo", ["inspect", "--tls-verify=false", ...args, `docker://${reference}`]).toString();
  return {
    config: JSON.parse(skopeo("--config", "--raw")) as never,
    raw: JSON.parse(skopeo("--raw")) as Manifest,
  };
}

interface Manifest {
  readonly mediaType: string;
  readonly layers: readonly { digest: string; mediaType: string }[];
  readonly manifests: readonly { digest: string; platform: object; annotations?: object }[];
  readonly annotations?: Record<string, string>;
}

describe("commands", () => {
  it("give their output, their error output and their files", () =>
    session({ home }, async ({ client }) => {
      const ran = sh(base(client), "echo out; echo err >&2; echo made > /made");
      expect(await ran.stdout()).toBe("out\n");
      expect(await ran.stderr()).toBe("err\n");
      expect(await ran.exitCode()).toBe(0);
      expect(await ran.file("/made").contents()).toBe("made\n");
    }));

  it("run without a shell, with an empty standard input", () =>
    session({ home }, async ({ client }) => {
      expect(await base(client).withExec(["echo", "$HOME", "*"]).stdout()).toBe("$HOME *\n");
      expect(await base(client).withExec(["cat"]).stdout()).toBe("");
    }));

  it("see exactly the environment of the container, and HOME of their user", () =>
    session({ home }, async ({ client }) => {
      const container = base(client).withEnvVariable("A", "1 'two'\nthree");
      expect((await container.withExec(["env"]).stdout()).trim().split("\n").sort()).toEqual(
        ["A=1 'two'", "three", "HOME=/root", "PATH=/bin"].sort(),
      );
      const app = container.withUser("app").withWorkdir("/home/app");
      expect(await sh(app, "id; pwd; echo $HOME; echo x > file; stat -c %u:%g file").stdout()).toBe(
        "uid=1000(app) gid=1000(app) groups=50(extra)\n/home/app\n/home/app\n1000:1000\n",
      );
      expect(await base(client).withUser("1234:99").withExec(["id"]).stdout()).toBe("uid=1234 gid=99\n");
    }));

  it("that fail are an ExecError with exit code and both outputs", () =>
    session({ home }, async ({ client }) => {
      const error: unknown = await sh(base(client), "echo out; echo bad >&2; exit 3")
        .sync()
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ExecError);
      expect(error).toMatchObject({
        exitCode: 3,
        stdout: "out\n",
        stderr: "bad\n",
        cmd: ["sh", "-c", "echo out; echo bad >&2; exit 3"],
      });
    }));

  it("may be expected to fail, or to do either", () =>
    session({ home }, async ({ client }) => {
      expect(await base(client).withExec(["false"], { expect: ReturnType.Failure }).exitCode()).toBe(1);
      expect(await base(client).withExec(["sh", "-c", "exit 7"], { expect: ReturnType.Any }).exitCode()).toBe(
        7,
      );
      await expect(base(client).withExec(["true"], { expect: ReturnType.Failure }).sync()).rejects.toThrow(
        ExecError,
      );
      const missing = base(client).withExec(["no-such-program"], { expect: ReturnType.Any });
      expect(await missing.exitCode()).toBe(127);
    }));

  it("are the default arguments when none are given, and never the entrypoint", () =>
    session({ home }, async ({ client }) => {
      const container = base(client).withDefaultArgs(["echo", "default"]).withEntrypoint(["false"]);
      expect(await container.withExec(["echo", "plain"]).stdout()).toBe("plain\n");
      await expect(container.withExec([]).stdout()).rejects.toThrow("no command to run");
      expect(await container.withDefaultArgs(["echo", "again"]).withExec([]).stdout()).toBe("again\n");
      await expect(base(client).stdout()).rejects.toThrow("this container ran no command");
    }));

  it("of another platform run emulated", () =>
    session({ home }, async ({ client }) => {
      expect(await busybox(client, image, "linux/arm64").withExec(["uname", "-m"]).stdout()).toBe(
        "aarch64\n",
      );
      expect(await base(client).withExec(["uname", "-m"]).stdout()).toBe("x86_64\n");
    }));

  it("leave nothing of the sandbox in the layer", () =>
    session({ home }, async ({ client }) => {
      const ran = sh(
        base(client).withMountedCache("/mnt/cache", client.cacheVolume("x")),
        "echo 1 > /only; cat /etc/hosts /etc/resolv.conf > /dev/null",
      );
      expect(await ran.rootfs().entries()).toEqual([
        "bin/",
        "etc/",
        "home/",
        "only",
        "root/",
        "tmp/",
        "usr/",
      ]);
      expect(await ran.directory("/etc").entries()).toEqual(["group", "passwd"]);
    }));

  it("trust the host's CA bundle without the image knowing of it", () =>
    session({ home, caBundle: "/etc/ssl/certs/ca-certificates.crt" }, async ({ client }) => {
      const ran = sh(base(client), "test -s $SSL_CERT_FILE && echo $PIP_CERT");
      expect(await ran.stdout()).toBe("/run/host-ca-bundle.crt\n");
      expect(await ran.envVariable("SSL_CERT_FILE")).toBeFalsy();
      expect(await ran.exists("/run/host-ca-bundle.crt")).toBe(false);
    }));
});

describe("the cache", () => {
  it("serves an equal chain after a restart, without running anything", async () => {
    const source = folder({ "a.txt": "a" });
    const run = (): Promise<{ output: string; commands: string[] }> =>
      session({ home }, async ({ client, events }) => {
        const ran = sh(
          base(client).withDirectory("/src", client.host().directory(source)),
          "cat /src/a.txt; date +%N > /when",
        );
        return {
          output: (await ran.stdout()) + (await ran.file("/when").contents()),
          commands: executed(events),
        };
      });
    const first = await run();
    expect(first.commands).toHaveLength(1);
    const second = await run();
    expect(second).toEqual({ output: first.output, commands: [] });
    // Touched, but not changed.
    execFileSync("touch", [join(source, "a.txt")]);
    expect((await run()).commands).toEqual([]);
    writeFileSync(join(source, "a.txt"), "b");
    expect((await run()).commands).toHaveLength(1);
  });

  it("knows a file, mounted or copied, and a filtered directory by what they hold", async () => {
    const source = folder({ "app/main.py": "1", "poetry.lock": "a", "other/x": "1" });
    const run = (): Promise<string[]> =>
      session({ home }, async ({ client, events }) => {
        const directory = client.host().directory(source);
        const lock = directory.file("poetry.lock");
        const made = sh(base(client).withFile("/poetry.lock", lock), "cp /poetry.lock /copied").file(
          "/copied",
        );
        await sh(base(client).withMountedFile("/in", made), "cat /in; echo by file").sync();
        const app = directory.filter({ exclude: ["poetry.lock"] }).filter({ exclude: ["other"] });
        await sh(
          base(client).withMountedDirectory("/app", app),
          "cat /app/app/main.py; echo by folder",
        ).sync();
        return executed(events).map((title) => title.slice("sh -c ".length));
      });
    expect(await run()).toHaveLength(3);
    writeFileSync(join(source, "other/x"), "2");
    expect(await run()).toEqual([]);
    writeFileSync(join(source, "app/main.py"), "2");
    expect(await run()).toEqual(["cat /app/app/main.py; echo by folder"]);
    writeFileSync(join(source, "poetry.lock"), "b");
    expect(await run()).toEqual(["cp /poetry.lock /copied", "cat /in; echo by file"]);
    chmodSync(join(source, "poetry.lock"), 0o600);
    expect(await run()).toHaveLength(2);
  });

  it("runs equal steps that are asked for at once only once", () =>
    session({ home }, async ({ client, events }) => {
      const key = String(Math.random());
      const chain = (): Container => sh(base(client).withEnvVariable("KEY", key), "sleep 0.2; date +%N");
      const outputs = await Promise.all([
        chain().stdout(),
        chain().stdout(),
        chain().withLabel("a", "b").stdout(),
      ]);
      expect(new Set(outputs).size).toBe(1);
      expect(executed(events)).toHaveLength(1);
    }));

  it("keeps nothing of a command that failed", () =>
    session({ home }, async ({ client, events }) => {
      const failing = sh(base(client).withEnvVariable("KEY", String(Math.random())), "exit 1");
      await expect(failing.sync()).rejects.toThrow(ExecError);
      await expect(failing.stdout()).rejects.toThrow(ExecError);
      expect(executed(events)).toHaveLength(2);
    }));

  it("holds cache volumes by their key, outside of every image", async () => {
    const key = `volume-${Math.random()}`;
    const run = (value: string): Promise<string> =>
      session({ home }, ({ client }) =>
        sh(
          base(client).withMountedCache("/cache", client.cacheVolume(key)),
          `cat /cache/* 2>/dev/null; echo ${value} > /cache/${value}`,
        ).stdout(),
      );
    expect(await run("one")).toBe("");
    expect(await run("two")).toBe("one\n");
  });

  it("is left whole by two engines that do the same at once", async () => {
    const own = folder({});
    const run = (): Promise<string> =>
      session({ home: own }, ({ client }) =>
        sh(base(client), "sleep 0.3; date +%N; seq 1 1000 > /numbers")
          .withExec(["wc", "-l", "/numbers"])
          .stdout(),
      );
    // The SDK takes the session from the environment when it connects, so start one after the other.
    const [one, two] = await Promise.all([
      run(),
      new Promise((resolve) => setTimeout(resolve, 300)).then(run),
    ]);
    expect([one, two]).toEqual(["1000 /numbers\n", "1000 /numbers\n"]);
  });
});

describe("secrets", () => {
  const value = "s3cret-väl<ue>\nsecond-line-of-it";

  it("are seen by the command and scrubbed from all that it says", () =>
    session({ home }, async ({ client, events }) => {
      const secret = client.setSecret("token", value);
      const container = base(client)
        .withSecretVariable("TOKEN", secret)
        .withMountedSecret("/run/token", secret);
      const ran = sh(
        container,
        'echo "$TOKEN"; cat /run/token >&2; stat -c "%a %u:%g" /run/token; cat /run/token | wc -c > /length',
      );
      expect(await ran.stdout()).toBe("***\n400 0:0\n");
      expect(await ran.stderr()).toBe("***");
      expect((await ran.file("/length").contents()).trim()).toBe(String(Buffer.byteLength(value)));
      expect(await ran.rootfs().exists("/run/token")).toBe(false);
      const error: unknown = await sh(container, 'echo "$TOKEN" >&2; exit 1')
        .sync()
        .catch((e: unknown) => e);
      expect(JSON.stringify([String(error), error, events])).not.toContain("s3cret");
    }));

  it("decide by their name whether a step is known, never by their value", async () => {
    const run = (plaintext: string): Promise<number> =>
      session({ home }, async ({ client, events }) => {
        await sh(base(client).withSecretVariable("T", client.setSecret("by-name", plaintext)), "true").sync();
        return executed(events).length;
      });
    await run("one");
    expect(await run("two")).toBe(0);
  });

  it("come from the environment, a file or a command", () =>
    session({ home }, async ({ client }) => {
      process.env.TGO_TEST_SECRET = "from-env";
      const file = join(folder({ secret: "from-file" }), "secret");
      const plain = (secret: Secret): Promise<string> => secret.plaintext();
      expect(await plain(client.secret("env://TGO_TEST_SECRET"))).toBe("from-env");
      expect(await plain(client.secret(`file://${file}`))).toBe("from-file");
      expect(await plain(client.secret("cmd://echo from-$((1+1))"))).toBe("from-2");
      await expect(plain(client.secret("op://vault/x"))).rejects.toThrow("does not serve secrets from op://");
    }));
});

describe("files", () => {
  it("of the host come in by patterns of .dockerignore", () =>
    session({ home }, async ({ client }) => {
      const path = folder({
        "a.py": "",
        "b.txt": "",
        "lib/c.py": "",
        "lib/d.txt": "",
        "node_modules/x/y.js": "",
        ".git/HEAD": "",
        "keep/node_modules/z": "",
      });
      const all = (of: Directory): Promise<string[]> => of.glob("**");
      const host = client.host();
      expect(await all(host.directory(path, { exclude: ["node_modules", ".git", "**/*.txt"] }))).toEqual([
        "a.py",
        "keep/",
        "keep/node_modules/",
        "keep/node_modules/z",
        "lib/",
        "lib/c.py",
      ]);
      expect(await all(host.directory(path, { include: ["lib"], exclude: ["**/*.txt"] }))).toEqual([
        "lib/",
        "lib/c.py",
      ]);
      expect(await all(host.directory(path, { exclude: ["**", "!lib/d.txt"] }))).toEqual([
        "lib/",
        "lib/d.txt",
      ]);
    }));

  it("keep modes, links and contents on their way through", () =>
    session({ home }, async ({ client }) => {
      const path = folder({ "bin/tool": "#!/bin/sh\necho tool\n", "data.bin": "x" });
      chmodSync(join(path, "bin/tool"), 0o755);
      execFileSync("ln", ["-s", "tool", join(path, "bin/link")]);
      const source = client.host().directory(path);
      const container = base(client)
        .withDirectory("/opt/app", source)
        .withDirectory("/opt/owned", source, { owner: "app", include: ["bin"] })
        .withFile("/opt/one", source.file("data.bin"), { permissions: 0o600 })
        .withNewFile("/opt/new/deep", "text", { permissions: 0o640, owner: "0:50" })
        .withSymlink("/opt/one", "/opt/alias");
      const listing = await sh(
        container,
        'cd /opt; stat -c "%a %u:%g %n" app/bin/tool owned/bin owned/bin/tool one new new/deep; /opt/app/bin/link; cat /opt/alias',
      ).stdout();
      expect(listing).toBe(
        "755 0:0 app/bin/tool\n755 1000:1000 owned/bin\n755 1000:1000 owned/bin/tool\n600 0:0 one\n755 0:50 new\n640 0:50 new/deep\ntool\nx",
      );
    }));

  it("of several directories come together in one place, the last one's over the others'", () =>
    session({ home }, async ({ client }) => {
      const made = sh(
        base(client),
        "mkdir -p /out/sub; echo 1 > /out/sub/a; echo 1 > /out/both; chmod 700 /out/sub; ln -s sub /out/link",
      );
      const other = client
        .directory()
        .withNewFile("sub/b", "2\n")
        .withNewFile("both", "2\n", { permissions: 0o600 });
      const linked = client.directory().withNewFile("link/c", "3\n");
      const container = base(client)
        .withDirectory("/srv/x", made.directory("/out"))
        .withDirectory("/srv/x", other)
        .withDirectory("/srv/x", linked);
      expect(
        await sh(
          container,
          "cd /srv/x; cat sub/a sub/b sub/c both; stat -c '%a %n' sub both; ls -d link/",
        ).stdout(),
      ).toBe("1\n2\n3\n2\n755 sub\n600 both\nlink/\n");
      // Nobody's files changed by it, though they are the same ones.
      expect(
        await sh(container, "cd /srv/x; echo changed > sub/a; chmod 777 both; touch sub/b")
          .file("/srv/x/sub/a")
          .contents(),
      ).toBe("changed\n");
      expect(await container.file("/srv/x/sub/a").contents()).toBe("1\n");
      expect(await made.file("/out/sub/a").contents()).toBe("1\n");
      const again = base(client).withNewFile("/n", String(Math.random())).withDirectory("/o", other);
      expect(await again.withExec(["stat", "-c", "%a %s", "/o/both"]).stdout()).toBe("600 2\n");
    }));

  it("are removed, listed, compared and stamped", () =>
    session({ home }, async ({ client }) => {
      const directory = client
        .directory()
        .withNewFile("a/one", "1")
        .withNewFile("a/two", "2")
        .withNewFile("b.txt", "3")
        .withNewDirectory("empty");
      expect(await directory.entries()).toEqual(["a/", "b.txt", "empty/"]);
      expect(await directory.withoutFile("a/one").withoutDirectory("empty").glob("**")).toEqual([
        "a/",
        "a/two",
        "b.txt",
      ]);
      expect(await directory.filter({ include: ["a"] }).glob("**")).toEqual(["a/", "a/one", "a/two"]);
      expect(
        await directory.diff(directory.withNewFile("a/three", "3").withNewFile("b.txt", "4")).glob("**"),
      ).toEqual(["a/", "a/three", "b.txt"]);
      expect(await directory.digest()).toBe(await client.directory().withDirectory("/", directory).digest());
      expect(await directory.exists("a/one")).toBe(true);
      expect(await directory.file("a/one").size()).toBe(1);
      const stamped = base(client).withDirectory("/d", directory.withTimestamps(1_600_000_000));
      expect(await sh(stamped, "stat -c %Y /d/a/one /d/a /d/b.txt | sort -u").stdout()).toBe("1600000000\n");
      const removed = base(client).withoutFile("/etc/group").withoutDirectory("/usr");
      expect(await removed.rootfs().entries()).not.toContain("usr/");
    }));

  it("in a mounted directory change for later commands, not for the image", () =>
    session({ home }, async ({ client }) => {
      const source = client.directory().withNewFile("in", "1");
      const first = sh(base(client).withMountedDirectory("/m", source), "echo 2 > /m/out");
      expect(await sh(first, "cat /m/in /m/out").stdout()).toBe("12\n");
      expect(await first.directory("/m").entries()).toEqual(["in", "out"]);
      expect(await first.rootfs().exists("m")).toBe(false);
      expect(await source.entries()).toEqual(["in"]);
      const readOnly = sh(
        base(client).withMountedDirectory("/m", source, { readOnly: true }),
        "echo 2 > /m/out",
      );
      await expect(readOnly.sync()).rejects.toThrow(ExecError);
    }));

  it("of an image cannot lead to the host's by a symbolic link", () =>
    session({ home }, async ({ client }) => {
      const trap = base(client).withSymlink("/etc", "/trap").withSymlink("/etc/shadow", "/shadow");
      await expect(trap.file("/shadow").contents()).rejects.toThrow("no such file");
      await trap.withNewFile("/trap/written-by-test", "x").sync();
      expect(existsSync("/etc/written-by-test")).toBe(false);
      expect(
        await trap.withNewFile("/trap/written-by-test", "x").file("/etc/written-by-test").contents(),
      ).toBe("x");
    }));

  it("are exported to the host", () =>
    session({ home }, async ({ client }) => {
      const target = join(folder({}), "out");
      const directory = client.directory().withNewFile("a/b", "1", { permissions: 0o755 });
      expect(await directory.export(target)).toBe(target);
      expect(readFileSync(join(target, "a/b"), "utf8")).toBe("1");
      await directory.file("a/b").export(join(target, "copy"));
      expect(readFileSync(join(target, "copy"), "utf8")).toBe("1");
    }));
});

describe("publishing", () => {
  it("writes a plain manifest for one platform, with the whole config", () =>
    session({ home }, async ({ client }) => {
      const reference = await sh(base(client), "echo x > /x")
        .withLabel("l", "v")
        .withUser("app")
        .withWorkdir("/home")
        .withEntrypoint(["sh"])
        .withDefaultArgs(["-c", "true"])
        .withExposedPort(8000)
        .withDockerHealthcheck(["wget -q localhost:8000/health"], {
          shell: true,
          interval: "30s",
          timeout: "1m30s",
          retries: 3,
        })
        .publish(`${host}/one:1`);
      expect(reference).toMatch(new RegExp(`^${host}/one:1@sha256:[0-9a-f]{64}$`));
      const { raw, config } = inspect(reference.replace(":1@", "@"));
      expect(raw.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
      expect(config).toMatchObject({
        architecture: "amd64",
        os: "linux",
        config: {
          Labels: { l: "v" },
          User: "app",
          WorkingDir: "/home",
          Entrypoint: ["sh"],
          Cmd: ["-c", "true"],
          ExposedPorts: { "8000/tcp": {} },
          Healthcheck: {
            Test: ["CMD-SHELL", "wget -q localhost:8000/health"],
            Interval: 30e9,
            Timeout: 90e9,
            Retries: 3,
          },
        },
      });
      const again = busybox(client, reference);
      expect(await again.file("/x").contents()).toBe("x\n");
      const without = await again.withoutDockerHealthcheck().publish(`${host}/one:2`);
      expect(inspect(without.replace(":2@", "@")).config).not.toHaveProperty("config.Healthcheck");
    }));

  it("shares layers with the same files between platforms, and the base's bytes with the base", () =>
    session({ home }, async ({ client }) => {
      const source = client.host().directory(folder({ "pkg/mod.py": "print(1)", "pkg/data": "x" }));
      const variant = (name: string): Container =>
        busybox(client, image, name)
          .withDirectory("/usr/share/app", source)
          .withNewFile("/etc/app.conf", "a=1")
          .withLabel("p", name);
      const reference = await client
        .container()
        .publish(`${host}/two:1`, { platformVariants: [variant("linux/amd64"), variant("linux/arm64")] });
      const { raw } = inspect(reference.replace(":1@", "@"));
      expect(raw.mediaType).toBe("application/vnd.oci.image.index.v1+json");
      expect(raw.manifests.map((entry) => entry.platform)).toEqual([
        { architecture: "amd64", os: "linux" },
        { architecture: "arm64", os: "linux" },
      ]);
      expect(raw.annotations).toBeUndefined();
      const children = raw.manifests.map(({ digest }) =>
        inspect(`${host}/two@${digest}`).raw.layers.map((layer) => layer.digest),
      );
      const bases = inspect(image.replace(":1@", "@")).raw.manifests.map(({ digest }) =>
        inspect(`${host}/busybox@${digest}`).raw.layers.map((layer) => layer.digest),
      );
      expect(children[0]?.slice(-2)).toEqual(children[1]?.slice(-2));
      expect(children.map((layers) => layers.slice(0, -2))).toEqual(bases);
    }));

  it("is repeatable: another engine with nothing cached makes the same digest of the same files", async () => {
    const source = folder({ "a/b": "1" });
    const run = (own: string, name: string): Promise<string> =>
      session({ home: own }, ({ client }) =>
        busybox(client, image)
          .withDirectory("/srv/x", client.host().directory(source).withTimestamps(1_700_000_000))
          .withoutDirectory("/usr")
          .publish(`${host}/${name}:1`),
      );
    const other = folder({});
    const digests = [await run(home, "same"), await run(other, "same")].map(
      (reference) => reference.split("@")[1],
    );
    expect(digests[0]).toBe(digests[1]);
  });

  it("collapses two variants of one platform", () =>
    session({ home }, async ({ client }) => {
      const reference = await client.container().publish(`${host}/collapsed:1`, {
        platformVariants: [base(client), base(client).withLabel("second", "1")],
      });
      const { raw, config } = inspect(reference.replace(":1@", "@"));
      expect(raw.layers).toBeDefined();
      expect(config.config).toMatchObject({ Labels: { second: "1" } });
    }));

  it("carries removed files and replaced directories as whiteouts that other tools understand", () =>
    session({ home }, async ({ client }) => {
      const changed = sh(
        base(client),
        "rm /etc/group; rm -r /usr; mkdir -p /usr/only; rm -r /home; mkdir /home; echo 1 > /home/new",
      );
      const reference = await changed.publish(`${host}/whiteouts:1`);
      const from = ["from", "-q", "--tls-verify=false", `docker://${reference.replace(":1@", "@")}`];
      const id = execFileSync("buildah", from).toString().trim();
      try {
        const root = execFileSync("buildah", ["mount", id]).toString().trim();
        expect(readdirSync(join(root, "etc"))).toEqual(["passwd"]);
        expect(readdirSync(join(root, "usr"))).toEqual(["only"]);
        expect(readdirSync(join(root, "home"))).toEqual(["new"]);
      } finally {
        execFileSync("buildah", ["rm", id]);
      }
      // And ours, from the registry, with nothing of it in the store.
      const other = folder({});
      await session({ home: other }, async ({ client: fresh }) => {
        const again = busybox(fresh, reference);
        expect(await again.directory("/usr").entries()).toEqual(["only/"]);
        expect(await again.directory("/home").entries()).toEqual(["new"]);
        expect(await again.exists("/etc/group")).toBe(false);
      });
    }));

  it("follows a mirror that does not show in the image's name", () =>
    session({ home, mirrors: { "docker.io": host } }, async ({ client }) => {
      const reference = image.replace(`${host}/busybox`, "docker.io/library/busybox");
      await base(client).publish(`${host}/library/busybox:1`);
      expect(await busybox(client, "busybox:1").imageRef()).toMatch(
        /^docker\.io\/library\/busybox:1@sha256:/,
      );
      expect(reference).toContain("docker.io");
    }));

  it("writes an OCI layout as a tar file", () =>
    session({ home }, async ({ client }) => {
      const file = join(folder({}), "image.tar");
      await base(client).export(file);
      const config = JSON.parse(
        execFileSync("skopeo", ["inspect", "--config", `oci-archive:${file}`]).toString(),
      ) as { architecture: string };
      expect(config.architecture).toBe("amd64");
      expect(await base(client).asTarball().size()).toBeGreaterThan(100_000);
    }));

  it("names the missing image, and the platform that is not there", () =>
    session({ home }, async ({ client }) => {
      await expect(busybox(client, `${host}/nothing:1`).sync()).rejects.toThrow(
        `there is no image ${host}/nothing:1`,
      );
      await expect(busybox(client, image, "linux/s390x").sync()).rejects.toThrow(
        "the image has no linux/s390x variant",
      );
    }));
});

describe("credentials", () => {
  it("reach the registry they are for, from the keychain or from withRegistryAuth", async () => {
    const closed = await startRegistry({ auth: "basic", username: "user", password: "pass-word" });
    const address = `${closed.host}/private/image:1`;
    try {
      await session({ home }, async ({ client }) => {
        await expect(base(client).publish(address)).rejects.toThrow(/credentials/i);
        const secret = client.setSecret("password", "pass-word");
        expect(await base(client).withRegistryAuth(address, "user", secret).publish(address)).toContain(
          "@sha256:",
        );
        await expect(busybox(client, address).imageRef()).rejects.toThrow(/credentials/i);
        const known = client.container().withRegistryAuth(closed.host, "user", secret);
        expect(await known.from(address).imageRef()).toContain("@sha256:");
      });
      const known = (of: string): Promise<Credentials | undefined> =>
        Promise.resolve(of === closed.host ? { username: "user", password: "pass-word" } : undefined);
      await session({ home, keychain: known }, async ({ client }) => {
        expect(await busybox(client, address).imageRef()).toContain("@sha256:");
      });
    } finally {
      await closed.stop();
    }
  });
});

describe("services", () => {
  const server = (client: Client, answer: string): Container =>
    base(client)
      .withNewFile("/www/index.html", answer)
      .withExposedPort(8080)
      .withDefaultArgs(["httpd", "-f", "-p", "8080", "-h", "/www"]);

  it("answer under their alias, in a network where the host's own server does not", async () => {
    const decoy = await listen(8080);
    try {
      await session({ home }, async ({ client }) => {
        const caller = base(client).withEnvVariable("NONCE", String(Math.random()));
        const bound = caller.withServiceBinding("web", server(client, "from the container").asService());
        expect(await bound.withExec(["wget", "-q", "-O-", "http://web:8080/"]).stdout()).toBe(
          "from the container",
        );
        expect(await bound.withExec(["wget", "-q", "-O-", "http://localhost:8080/"]).stdout()).toBe(
          "from the container",
        );
        // The decoy answers where nothing shields it, and not when the service is broken.
        expect(await caller.withExec(["wget", "-q", "-O-", "http://127.0.0.1:8080/"]).stdout()).toBe("decoy");
        const idle = base(client).withDefaultArgs(["sleep", "4320"]).asService();
        const refused = caller
          .withServiceBinding("web", idle)
          .withExec(["wget", "-q", "-O-", "http://web:8080/"]);
        await expect(refused.sync()).rejects.toThrow(ExecError);
      });
      expect(processes("httpd -f -p 8080")).toEqual([]);
      expect(processes("sleep 4320")).toEqual([]);
    } finally {
      decoy.close();
    }
  });

  it("that end early fail the command with their exit code and last words", () =>
    session({ home }, async ({ client }) => {
      const broken = base(client)
        .withExposedPort(9)
        .withDefaultArgs(["sh", "-c", "echo no database >&2; exit 4"])
        .asService();
      const error: unknown = await base(client)
        .withServiceBinding("db", broken)
        .withExec(["true"])
        .sync()
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ExecError);
      expect(error).toMatchObject({ exitCode: 4, stderr: "no database\n" });
      expect(String(error)).toMatch(/start service .*exited: exit code: 4\nno database/);
    }));

  it("end with the command, whatever they do about signals", () =>
    session({ home }, async ({ client }) => {
      const deaf = base(client)
        .withDefaultArgs(["sh", "-c", "trap '' TERM; while :; do sleep 4324; done"])
        .asService();
      await base(client).withServiceBinding("s", deaf).withExec(["sleep", "0.3"]).sync();
      expect(processes("sleep 4324")).toEqual([]);
      await deaf.stop({ kill: true });
    }));

  it("of the host are only an address", () =>
    session({ home }, async ({ client }) => {
      const service = client
        .host()
        .service([{ backend: Number(new URL(registry.url).port), frontend: 5000 }]);
      expect(await service.endpoint({ scheme: "http" })).toBe(registry.url);
      const reference = await base(client).publish("localhost:5000/through:1", { registryService: service });
      expect(reference).toContain("localhost:5000/through:1@sha256:");
      expect(inspect(`${host}/through:1`).config.architecture).toBe("amd64");
    }));
});

describe("dockerBuild", () => {
  it("builds a Dockerfile with arguments, target, secrets and a health check", () =>
    session({ home, mirrors: { "docker.io": host } }, async ({ client, events }) => {
      await base(client).publish(`${host}/library/bb:1`);
      const context = folder({
        Dockerfile: `FROM bb:1 AS base
ARG WHO=nobody
COPY file /file
RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length; echo "$WHO" > /who
HEALTHCHECK --interval=5s CMD wget -q localhost
FROM base AS other
RUN exit 1
`,
        file: "content",
      });
      const build = client
        .host()
        .directory(context)
        .dockerBuild({
          platform: platform("linux/amd64"),
          buildArgs: [{ name: "WHO", value: "me" }],
          target: "base",
          secrets: [client.setSecret("token", "12345")],
        });
      expect(await build.file("/who").contents()).toBe("me\n");
      expect((await build.file("/length").contents()).trim()).toBe("5");
      expect(await build.file("/file").contents()).toBe("content");
      const { config, raw } = inspect((await build.publish(`${host}/built:1`)).replace(":1@", "@"));
      expect(config.config).toMatchObject({ Healthcheck: { Interval: 5e9 } });
      expect(raw.layers[0]?.digest).toBe(inspect(`${host}/library/bb:1`).raw.layers[0]?.digest);
      expect(events.some(({ kind, state }) => kind === "build" && state === "line")).toBe(true);
      const failing = client
        .host()
        .directory(context)
        .dockerBuild({ target: "other", secrets: [client.setSecret("token", "12345")] });
      const containers = (): string => execFileSync("buildah", ["containers", "-q"]).toString();
      const before = containers();
      await expect(failing.sync()).rejects.toThrow(/the build of Dockerfile failed/);
      expect(containers()).toBe(before);
    }));
});

describe("dockerBuild behind a company's CA", () => {
  it("shows its bundle to every command and leaves no trace of it", () =>
    session({ home, caBundle: "/etc/ssl/certs/ca-certificates.crt" }, async ({ client }) => {
      const dockerfile = `FROM ${image}\nRUN test -s "$SSL_CERT_FILE"; echo "$PIP_CERT" > /seen\nFROM ${image}\nCOPY --from=0 /seen /seen\nRUN test -s "$NODE_EXTRA_CA_CERTS"\n`;
      const built = client.directory().withNewFile("Dockerfile", dockerfile).dockerBuild();
      expect(await built.file("/seen").contents()).toBe("/run/host-ca-bundle.crt\n");
      expect(await built.envVariable("PIP_CERT")).toBeFalsy();
      expect(await built.rootfs().glob("run/*")).toEqual([]);
    }));
});

describe("trouble", () => {
  it("with the disk is told, and nothing half made is kept", async () => {
    const own = folder({});
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", own]);
    try {
      await session({ home: own }, async ({ client, events }) => {
        const big = (megabytes: number): Container =>
          base(client).withExec(["dd", "if=/dev/zero", "of=/big", "bs=1M", `count=${megabytes}`]);
        await expect(big(30).sync()).rejects.toThrow(/the disk is full.*\n.*XDG_CACHE_HOME/);
        expect(await big(1).file("/big").size()).toBe(1 << 20);
        await expect(big(30).sync()).rejects.toThrow("the disk is full");
        expect(executed(events)).toHaveLength(3);
        const source = client.host().directory(folder({ x: "x".repeat(20 << 20) }));
        await expect(source.sync()).rejects.toThrow("the disk is full");
      });
      expect(readdirSync(join(own, "w"))).toEqual([]);
    } finally {
      execFileSync("umount", [own]);
    }
  });

  it("with a platform that cannot run here is told with what registers its emulation", () =>
    session({ home }, async ({ client }) => {
      const container = client
        .container({ platform: platform("linux/imaginary") })
        .withRootfs(base(client).rootfs());
      await expect(container.withExec(["true"]).sync()).rejects.toThrow(
        /cannot run linux\/imaginary programs.*\n.*apt-get install/,
      );
      // Its files can be worked with all the same.
      expect(await container.withNewFile("/x", "1").file("/x").contents()).toBe("1");
    }));

  it("with a layer that is gone only means that it is made again", async () => {
    const own = folder({});
    const run = (): Promise<string> =>
      session({ home: own }, ({ client }) =>
        base(client).withNewFile("/a", "1").withExec(["true"]).withExec(["cat", "/a"]).stdout(),
      );
    expect(await run()).toBe("1");
    for (const key of readdirSync(join(own, "s")))
      if (existsSync(join(own, "s", key, "fs/a"))) rmSync(join(own, "s", key), { recursive: true });
    expect(await run()).toBe("1");
    // The base's layers, below results that are still there.
    for (const key of readdirSync(join(own, "s")))
      if (existsSync(join(own, "s", key, "fs/bin"))) rmSync(join(own, "s", key), { recursive: true });
    expect(await run()).toBe("1");
  });

  it("with what no run has used for two weeks never comes: it is removed", async () => {
    const own = folder({});
    await session({ home: own }, async ({ client }) => base(client).withNewFile("/old", "1").sync());
    const keys = readdirSync(join(own, "s"));
    for (const key of keys) execFileSync("touch", ["-d", "15 days ago", join(own, "s", key)]);
    await session({ home: own }, async ({ client }) => base(client).sync());
    expect(readdirSync(join(own, "s")).length).toBe(keys.length - 1);
  });
});

describe("stopping", () => {
  it("by the signal ends every process and leaves no half entry", async () => {
    const own = folder({});
    const stop = new AbortController();
    const outcome = session(
      {
        home: own,
        signal: stop.signal,
        onEvent: ({ state, line }) => {
          if (state === "line" && line === "started") stop.abort();
        },
      },
      async ({ client }) => {
        const service = base(client).withDefaultArgs(["sleep", "4322"]).asService();
        await sh(
          base(client).withServiceBinding("s", service),
          "echo x > /x; echo started; sleep 4321 & sleep 4321",
        ).sync();
      },
    );
    await expect(outcome).rejects.toThrow("the engine was stopped before this step ended");
    expect(processes("sleep 432")).toEqual([]);
    expect(readdirSync(join(own, "w"))).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(own);
    const results = readdirSync(join(own, "s")).filter((key) => existsSync(join(own, "s", key, "step.json")));
    expect(results).toEqual([]);
  });

  it("by SIGKILL ends every process too, and the next engine removes what was left", async () => {
    const own = folder({});
    const script = `
      import { session, busybox } from ${JSON.stringify(join(import.meta.dirname, "support/session.ts"))};
      await session({ home: ${JSON.stringify(own)}, onEvent: ({ line }) => line && console.log(line) }, ({ client }) =>
        busybox(client, ${JSON.stringify(image)}).withExec(["sh", "-c", "echo x > /x; echo started; sleep 4323"]).sync());`;
    const file = join(folder({ "run.mts": script }), "run.mts");
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        if (chunk.includes("started")) resolve();
      });
    });
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    await expect.poll(() => processes("sleep 4323"), { timeout: 5000 }).toEqual([]);
    expect(readdirSync(join(own, "w"))).not.toEqual([]);
    await session({ home: own }, () => Promise.resolve());
    expect(readdirSync(join(own, "w"))).toEqual([]);
  });
});

describe("what is not served", () => {
  it("is named, with what to do", () =>
    session({ home }, async ({ client }) => {
      await expect(client.container().terminal().sync()).rejects.toThrow(
        "The embedded engine does not serve Container.terminal; use Dagger's engine",
      );
      await expect(client.git("https://example.com/x").head().commit()).rejects.toThrow(
        "The embedded engine does not serve Query.git",
      );
      const mounted = base(client).withMountedDirectory("/m", client.directory());
      await expect(mounted.withNewFile("/m/x", "1").sync()).rejects.toThrow("changes no files below a mount");
      await expect(base(client).withDefaultArgs(["true"]).asService().start()).rejects.toThrow(
        "runs a container's service only for the commands bound to it",
      );
      await expect(
        base(client).withExec(["true"], { insecureRootCapabilities: true }).sync(),
      ).rejects.toThrow(
        "The embedded engine does not serve the argument insecureRootCapabilities of Container.withExec",
      );
    }));
});

async function listen(port: number): Promise<Server> {
  const server = createServer((_, response) => response.end("decoy"));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

/** Command lines of running processes that contain the text. */
function processes(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(text));
}
