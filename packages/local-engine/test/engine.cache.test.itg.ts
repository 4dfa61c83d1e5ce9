import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExecError, type Container } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { setUp, sh } from "./support/fixture.js";
import { executed, platform, session } from "./support/session.js";

const fixture = setUp();

describe("the cache", () => {
  it("serves an equal chain after a restart, without running anything", async () => {
    const source = fixture.folder({ "a.txt": "a" });
    const run = (): Promise<{ output: string; commands: string[] }> =>
      session({ home: fixture.home }, async ({ client, events }) => {
        const ran = sh(
          fixture.base(client).withDirectory("/src", client.host().directory(source)),
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

  it("keys files, mounted or copied, and filtered directories by their content", async () => {
    const source = fixture.folder({ "app/main.py": "1", "poetry.lock": "a", "other/x": "1" });
    const run = (): Promise<string[]> =>
      session({ home: fixture.home }, async ({ client, events }) => {
        const directory = client.host().directory(source);
        const lock = directory.file("poetry.lock");
        const made = sh(fixture.base(client).withFile("/poetry.lock", lock), "cp /poetry.lock /copied").file(
          "/copied",
        );
        await sh(fixture.base(client).withMountedFile("/in", made), "cat /in; echo by file").sync();
        const app = directory.filter({ exclude: ["poetry.lock"] }).filter({ exclude: ["other"] });
        await sh(
          fixture.base(client).withMountedDirectory("/app", app),
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

  it("runs equal concurrent steps only once", () =>
    session({ home: fixture.home }, async ({ client, events }) => {
      const key = String(Math.random());
      const chain = (): Container =>
        sh(fixture.base(client).withEnvVariable("KEY", key), "sleep 0.2; date +%N");
      const outputs = await Promise.all([
        chain().stdout(),
        chain().stdout(),
        chain().withLabel("a", "b").stdout(),
      ]);
      expect(new Set(outputs).size).toBe(1);
      expect(executed(events)).toHaveLength(1);
    }));

  it("keeps nothing of a command that failed", () =>
    session({ home: fixture.home }, async ({ client, events }) => {
      const failing = sh(fixture.base(client).withEnvVariable("KEY", String(Math.random())), "exit 1");
      await expect(failing.sync()).rejects.toThrow(ExecError);
      await expect(failing.stdout()).rejects.toThrow(ExecError);
      expect(executed(events)).toHaveLength(2);
    }));

  it("keeps cache volumes by their key, outside of every image", async () => {
    const key = `volume-${Math.random()}`;
    const run = (value: string): Promise<string> =>
      session({ home: fixture.home }, ({ client }) =>
        sh(
          fixture.base(client).withMountedCache("/cache", client.cacheVolume(key)),
          `cat /cache/* 2>/dev/null; echo ${value} > /cache/${value}`,
        ).stdout(),
      );
    expect(await run("one")).toBe("");
    expect(await run("two")).toBe("one\n");
  });

  it("stays intact when two engines do the same at once", async () => {
    const own = fixture.folder({});
    const run = (): Promise<string> =>
      session({ home: own }, ({ client }) =>
        sh(fixture.base(client), "sleep 0.3; date +%N; seq 1 1000 > /numbers")
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

describe("trouble", () => {
  it("with a full disk is reported, and no partial result is kept", async () => {
    const own = fixture.folder({});
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", own]);
    try {
      await session({ home: own }, async ({ client, events }) => {
        const big = (megabytes: number): Container =>
          fixture.base(client).withExec(["dd", "if=/dev/zero", "of=/big", "bs=1M", `count=${megabytes}`]);
        await expect(big(30).sync()).rejects.toThrow(/the disk is full.*\n.*XDG_CACHE_HOME/);
        expect(await big(1).file("/big").size()).toBe(1 << 20);
        await expect(big(30).sync()).rejects.toThrow("the disk is full");
        expect(executed(events)).toHaveLength(3);
        const source = client.host().directory(fixture.folder({ x: "x".repeat(20 << 20) }));
        await expect(source.sync()).rejects.toThrow("the disk is full");
      });
      expect(readdirSync(join(own, "w"))).toEqual([]);
    } finally {
      execFileSync("umount", [own]);
    }
  });

  it("with a platform that cannot run here is reported with the commands that register its emulation", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const container = client
        .container({ platform: platform("linux/imaginary") })
        .withRootfs(fixture.base(client).rootfs());
      await expect(container.withExec(["true"]).sync()).rejects.toThrow(
        /cannot run linux\/imaginary programs.*\n.*apt-get install/,
      );
      // Its files are available all the same.
      expect(await container.withNewFile("/x", "1").file("/x").contents()).toBe("1");
    }));

  it("with a missing layer is solved by making it again", async () => {
    const own = fixture.folder({});
    const run = (): Promise<string> =>
      session({ home: own }, ({ client }) =>
        fixture.base(client).withNewFile("/a", "1").withExec(["true"]).withExec(["cat", "/a"]).stdout(),
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

  it("with any file of its own that is damaged is solved by making it again", async () => {
    const own = fixture.folder({});
    const dockerfile = (text: string): string =>
      fixture.folder({ Dockerfile: `FROM ${fixture.image}\nRUN echo ${text} > /built\n` });
    const run = (context: string): Promise<string> =>
      session({ home: own }, async ({ client }) => {
        const chain = sh(fixture.base(client).withNewFile("/a", "1"), "cat /a; echo 2 > /b");
        const built = client
          .host()
          .directory(context)
          .dockerBuild({ platform: platform("linux/amd64") });
        await chain.publish(`${fixture.registry.host}/healed:${Math.random().toString(16).slice(2)}`);
        return (
          (await chain.stdout()) +
          (await chain.file("/b").contents()) +
          (await built.file("/built").contents())
        );
      });
    expect(await run(dockerfile("x"))).toBe("12\nx\n");
    const files = (folder: string): string[] =>
      readdirSync(join(own, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    const kinds: Record<string, string[]> = {
      blobs: files("blobs"),
      meta: files("meta"),
      steps: files("s").filter((path) => path.endsWith("/step.json")),
    };
    for (const [kind, paths] of Object.entries(kinds)) {
      expect(paths, kind).not.toEqual([]);
      for (const half of [true, false]) {
        for (const path of paths.filter((each) => existsSync(each)))
          truncateSync(path, half ? statSync(path).size >> 1 : 0);
        expect(await run(dockerfile(`${kind}-${half}`)), kind).toBe(`12\n${kind}-${half}\n`);
      }
    }
  });

  it("with a file of a layer that is damaged is told once, and the next run makes the layer again", async () => {
    const own = fixture.folder({});
    // The second command is a new one in each run, and reads what the first has made.
    const run = (word: string): Promise<string> =>
      session({ home: own }, ({ client }) =>
        sh(sh(fixture.base(client), "echo whole > /made"), `cat /made; echo ${word}`).stdout(),
      );
    expect(await run("a")).toBe("whole\na\n");
    const [key] = readdirSync(join(own, "s")).filter((name) => existsSync(join(own, "s", name, "fs/made")));
    truncateSync(join(own, "s", key ?? "", "fs/made"));
    await expect(run("b")).rejects.toThrow(/cache folder is damaged.*\n.*run the same command again/);
    expect(await run("b")).toBe("whole\nb\n");
  });

  it("with disk space is avoided: entries unused for two weeks are removed", async () => {
    const own = fixture.folder({});
    await session({ home: own }, async ({ client }) => fixture.base(client).withNewFile("/old", "1").sync());
    const keys = readdirSync(join(own, "s"));
    for (const key of keys) execFileSync("touch", ["-d", "15 days ago", join(own, "s", key)]);
    await session({ home: own }, async ({ client }) => fixture.base(client).sync());
    expect(readdirSync(join(own, "s")).length).toBe(keys.length - 1);
  });
});
