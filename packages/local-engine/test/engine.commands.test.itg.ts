import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ExecError, ReturnType, type Secret } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { busybox } from "./support/busybox.js";
import { setUp, sh } from "./support/fixture.js";
import { processes } from "./support/processes.js";
import { executed, session } from "./support/session.js";

const fixture = setUp();

describe("commands", () => {
  it("return their output, their error output and their files", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const ran = sh(fixture.base(client), "echo out; echo err >&2; echo made > /made");
      expect(await ran.stdout()).toBe("out\n");
      expect(await ran.stderr()).toBe("err\n");
      expect(await ran.exitCode()).toBe(0);
      expect(await ran.file("/made").contents()).toBe("made\n");
    }));

  it("run without a shell, with an empty standard input", () =>
    session({ home: fixture.home }, async ({ client }) => {
      expect(await fixture.base(client).withExec(["echo", "$HOME", "*"]).stdout()).toBe("$HOME *\n");
      expect(await fixture.base(client).withExec(["cat"]).stdout()).toBe("");
    }));

  it("have exactly the container's environment, and their user's HOME", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const container = fixture.base(client).withEnvVariable("A", "1 'two'\nthree");
      expect((await container.withExec(["env"]).stdout()).trim().split("\n").sort()).toEqual(
        ["A=1 'two'", "three", "HOME=/root", "PATH=/bin"].sort(),
      );
      const app = container.withUser("app").withWorkdir("/home/app");
      expect(await sh(app, "id; pwd; echo $HOME; echo x > file; stat -c %u:%g file").stdout()).toBe(
        "uid=1000(app) gid=1000(app) groups=50(extra)\n/home/app\n/home/app\n1000:1000\n",
      );
      expect(await fixture.base(client).withUser("1234:99").withExec(["id"]).stdout()).toBe(
        "uid=1234 gid=99\n",
      );
    }));

  it("that fail raise an ExecError with the exit code and both outputs", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const error: unknown = await sh(fixture.base(client), "echo out; echo bad >&2; exit 3")
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

  it("may be expected to fail, or to end either way", () =>
    session({ home: fixture.home }, async ({ client }) => {
      expect(await fixture.base(client).withExec(["false"], { expect: ReturnType.Failure }).exitCode()).toBe(
        1,
      );
      expect(
        await fixture.base(client).withExec(["sh", "-c", "exit 7"], { expect: ReturnType.Any }).exitCode(),
      ).toBe(7);
      await expect(
        fixture.base(client).withExec(["true"], { expect: ReturnType.Failure }).sync(),
      ).rejects.toThrow(ExecError);
      const missing = fixture.base(client).withExec(["no-such-program"], { expect: ReturnType.Any });
      expect(await missing.exitCode()).toBe(127);
    }));

  it("default to the default arguments, never the entrypoint", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const container = fixture.base(client).withDefaultArgs(["echo", "default"]).withEntrypoint(["false"]);
      expect(await container.withExec(["echo", "plain"]).stdout()).toBe("plain\n");
      await expect(container.withExec([]).stdout()).rejects.toThrow("no command to run");
      expect(await container.withDefaultArgs(["echo", "again"]).withExec([]).stdout()).toBe("again\n");
      await expect(fixture.base(client).stdout()).rejects.toThrow("this container ran no command");
    }));

  it("of another platform run under emulation", () =>
    session({ home: fixture.home }, async ({ client }) => {
      expect(await busybox(client, fixture.image, "linux/arm64").withExec(["uname", "-m"]).stdout()).toBe(
        "aarch64\n",
      );
      expect(await fixture.base(client).withExec(["uname", "-m"]).stdout()).toBe("x86_64\n");
    }));

  it("leave no trace of the sandbox in the layer", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const ran = sh(
        fixture.base(client).withMountedCache("/mnt/cache", client.cacheVolume("x")),
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

  it("trust the host's CA bundle, which leaves no trace in the image", () =>
    session({ home: fixture.home, caBundle: "/etc/ssl/certs/ca-certificates.crt" }, async ({ client }) => {
      const ran = sh(fixture.base(client), "test -s $SSL_CERT_FILE && echo $PIP_CERT");
      expect(await ran.stdout()).toBe("/run/host-ca-bundle.crt\n");
      expect(await ran.envVariable("SSL_CERT_FILE")).toBeFalsy();
      expect(await ran.exists("/run/host-ca-bundle.crt")).toBe(false);
    }));
});

describe("secrets", () => {
  const value = "s3cret-väl<ue>\nsecond-line-of-it";

  it("are available to the command and redacted from its output", () =>
    session({ home: fixture.home }, async ({ client, events }) => {
      const secret = client.setSecret("token", value);
      const container = fixture
        .base(client)
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

  it("are part of the cache key by name, never by value", async () => {
    const run = (plaintext: string): Promise<number> =>
      session({ home: fixture.home }, async ({ client, events }) => {
        await sh(
          fixture.base(client).withSecretVariable("T", client.setSecret("by-name", plaintext)),
          "true",
        ).sync();
        return executed(events).length;
      });
    await run("one");
    expect(await run("two")).toBe(0);
  });

  it("come from the environment, a file or a command", () =>
    session({ home: fixture.home }, async ({ client }) => {
      process.env.TGO_TEST_SECRET = "from-env";
      const file = join(fixture.folder({ secret: "from-file" }), "secret");
      const plain = (secret: Secret): Promise<string> => secret.plaintext();
      expect(await plain(client.secret("env://TGO_TEST_SECRET"))).toBe("from-env");
      expect(await plain(client.secret(`file://${file}`))).toBe("from-file");
      expect(await plain(client.secret("cmd://echo from-$((1+1))"))).toBe("from-2");
      await expect(plain(client.secret("op://vault/x"))).rejects.toThrow(
        "does not support secrets from op://",
      );
    }));
});

describe("an unsupported part of the API", () => {
  it("is named, with the alternative", () =>
    session({ home: fixture.home }, async ({ client }) => {
      await expect(client.container().terminal().sync()).rejects.toThrow(
        "The local engine does not support Container.terminal; use Dagger's engine",
      );
      await expect(client.git("https://example.com/x").head().commit()).rejects.toThrow(
        "The local engine does not support Query.git",
      );
      const mounted = fixture.base(client).withMountedDirectory("/m", client.directory());
      await expect(mounted.withNewFile("/m/x", "1").sync()).rejects.toThrow(
        "cannot change files below a mount",
      );
      await expect(fixture.base(client).withDefaultArgs(["true"]).asService().start()).rejects.toThrow(
        "runs a container's service only while a command is bound to it",
      );
      await expect(
        fixture.base(client).withExec(["true"], { insecureRootCapabilities: true }).sync(),
      ).rejects.toThrow(
        "The local engine does not support the argument insecureRootCapabilities of Container.withExec",
      );
    }));
});

describe("stopping", () => {
  it("by the signal ends every process and leaves no partial entry", async () => {
    const own = fixture.folder({});
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
        const service = fixture.base(client).withDefaultArgs(["sleep", "4322"]).asService();
        await sh(
          fixture.base(client).withServiceBinding("s", service),
          "echo x > /x; echo started; sleep 4321 & sleep 4321",
        ).sync();
      },
    );
    await expect(outcome).rejects.toThrow("the engine was stopped before this step finished");
    expect(processes("sleep 432")).toEqual([]);
    expect(readdirSync(join(own, "w"))).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(own);
    const results = readdirSync(join(own, "s")).filter((key) => existsSync(join(own, "s", key, "step.json")));
    expect(results).toEqual([]);
  });

  it("by SIGKILL ends every process too, and the next engine removes the leftovers", async () => {
    const own = fixture.folder({});
    const script = `
      import { busybox } from ${JSON.stringify(join(import.meta.dirname, "support/busybox.ts"))};
      import { session } from ${JSON.stringify(join(import.meta.dirname, "support/session.ts"))};
      await session({ home: ${JSON.stringify(own)}, onEvent: ({ line }) => line && console.log(line) }, ({ client }) =>
        busybox(client, ${JSON.stringify(fixture.image)}).withExec(["sh", "-c", "echo x > /x; sleep 4323 & echo started; sleep 4323"]).sync());`;
    const file = join(fixture.folder({ "run.mts": script }), "run.mts");
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
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(own);
  });
});
