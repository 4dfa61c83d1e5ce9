import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExecError, type Directory } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { setUp, sh } from "./support/fixture.js";
import { session } from "./support/session.js";

const fixture = setUp();

describe("files", () => {
  it("of the host are imported by .dockerignore patterns", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const path = fixture.folder({
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

  it("keep modes, links and contents", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const path = fixture.folder({ "bin/tool": "#!/bin/sh\necho tool\n", "data.bin": "x" });
      chmodSync(join(path, "bin/tool"), 0o755);
      execFileSync("ln", ["-s", "tool", join(path, "bin/link")]);
      const source = client.host().directory(path);
      const container = fixture
        .base(client)
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

  it("of several directories are merged in one path, the last one on top", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const made = sh(
        fixture.base(client),
        "mkdir -p /out/sub; echo 1 > /out/sub/a; echo 1 > /out/both; chmod 700 /out/sub; ln -s sub /out/link",
      );
      const other = client
        .directory()
        .withNewFile("sub/b", "2\n")
        .withNewFile("both", "2\n", { permissions: 0o600 });
      const linked = client.directory().withNewFile("link/c", "3\n");
      const container = fixture
        .base(client)
        .withDirectory("/srv/x", made.directory("/out"))
        .withDirectory("/srv/x", other)
        .withDirectory("/srv/x", linked);
      expect(
        await sh(
          container,
          "cd /srv/x; cat sub/a sub/b sub/c both; stat -c '%a %n' sub both; ls -d link/",
        ).stdout(),
      ).toBe("1\n2\n3\n2\n755 sub\n600 both\nlink/\n");
      // The shared files have not changed anywhere else.
      expect(
        await sh(container, "cd /srv/x; echo changed > sub/a; chmod 777 both; touch sub/b")
          .file("/srv/x/sub/a")
          .contents(),
      ).toBe("changed\n");
      expect(await container.file("/srv/x/sub/a").contents()).toBe("1\n");
      expect(await made.file("/out/sub/a").contents()).toBe("1\n");
      const again = fixture.base(client).withNewFile("/n", String(Math.random())).withDirectory("/o", other);
      expect(await again.withExec(["stat", "-c", "%a %s", "/o/both"]).stdout()).toBe("600 2\n");
    }));

  it("are removed, listed, compared and given times", () =>
    session({ home: fixture.home }, async ({ client }) => {
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
      const stamped = fixture.base(client).withDirectory("/d", directory.withTimestamps(1_600_000_000));
      expect(await sh(stamped, "stat -c %Y /d/a/one /d/a /d/b.txt | sort -u").stdout()).toBe("1600000000\n");
      const removed = fixture.base(client).withoutFile("/etc/group").withoutDirectory("/usr");
      expect(await removed.rootfs().entries()).not.toContain("usr/");
    }));

  it("in a mounted directory change for later commands, not for the image", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const source = client.directory().withNewFile("in", "1");
      const first = sh(fixture.base(client).withMountedDirectory("/m", source), "echo 2 > /m/out");
      expect(await sh(first, "cat /m/in /m/out").stdout()).toBe("12\n");
      expect(await first.directory("/m").entries()).toEqual(["in", "out"]);
      expect(await first.rootfs().exists("m")).toBe(false);
      expect(await source.entries()).toEqual(["in"]);
      const readOnly = sh(
        fixture.base(client).withMountedDirectory("/m", source, { readOnly: true }),
        "echo 2 > /m/out",
      );
      await expect(readOnly.sync()).rejects.toThrow(ExecError);
    }));

  it("of an image cannot reach the host's through a symbolic link", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const trap = fixture.base(client).withSymlink("/etc", "/trap").withSymlink("/etc/shadow", "/shadow");
      await expect(trap.file("/shadow").contents()).rejects.toThrow("no such file");
      await trap.withNewFile("/trap/written-by-test", "x").sync();
      expect(existsSync("/etc/written-by-test")).toBe(false);
      expect(
        await trap.withNewFile("/trap/written-by-test", "x").file("/etc/written-by-test").contents(),
      ).toBe("x");
    }));

  it("are exported to the host", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const target = join(fixture.folder({}), "out");
      const directory = client.directory().withNewFile("a/b", "1", { permissions: 0o755 });
      expect(await directory.export(target)).toBe(target);
      expect(readFileSync(join(target, "a/b"), "utf8")).toBe("1");
      await directory.file("a/b").export(join(target, "copy"));
      expect(readFileSync(join(target, "copy"), "utf8")).toBe("1");
    }));
});
