import { readdirSync } from "node:fs";
import { join } from "node:path";
import { copyOddly, runOn, twoHosts, type HostSettings } from "@tgo/testing";
import { afterAll, describe, expect, it } from "vitest";
import { setUp } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";

const fixture = setUp();

describe("the host", () => {
  const { plain, odd, folder, remove } = twoHosts();
  afterAll(remove);

  /** Every machine has a copy of the source of its own. */
  const sourceOn = (host: HostSettings): string => {
    const source = fixture.folder({
      hello: "hello\n",
      "sub/data.txt": "data\n",
      "sub/a": "a\n",
      "ünïcode ı": "i\n",
      Dockerfile: `FROM ${fixture.image}\nCOPY . /app/\nADD hello /a/b/\nWORKDIR /w/x\nCOPY sub rel\nENV A=1\n`,
      Commands: `FROM ${fixture.image}\nRUN umask >/shown; hostname >>/shown; env | sort >>/shown; stat -c %a / /tmp >>/shown\n`,
    });
    if (host === plain) return source;
    const copy = join(odd.cwd, "source");
    copyOddly(source, copy);
    return copy;
  };

  const build = async (host: HostSettings): Promise<Record<string, string>> => {
    const program = join(import.meta.dirname, "support/build-on-host.ts");
    const args = ["--import", import.meta.resolve("tsx"), program];
    const output = await runOn(host, [
      ...args,
      fixture.folder({}),
      fixture.registry.host,
      fixture.image,
      sourceOn(host),
    ]);
    const result = JSON.parse(output) as Record<string, string>;
    // The engine's config has the time of the build, which finalising replaces.
    const { raw, config } = inspect((result.built ?? "").replace(":1@", "@"));
    return { ...result, built: JSON.stringify([raw.layers, config.config]) };
  };

  it("has no influence: two very different ones make the same images, and commands see the same", async () => {
    const [one, other] = [await build(plain), await build(odd)];
    // RUN lines see the caller's proxies, as with Docker; the image has nothing of them.
    expect(other.commands).toMatch(/^HTTP_PROXY=/m);
    const commandsOf = ({ commands = "" }: typeof one): string => commands.replace(/^.*_proxy=.*\n/gim, "");
    expect({ ...other, commands: commandsOf(other) }).toEqual(one);
    const { shown = "", commands = "" } = one;
    expect(shown.split("\n").slice(0, 2)).toEqual(["0022", "1024"]);
    expect(shown.split("\n").slice(3, 5)).toEqual(["0", "/"]);
    expect(shown).toMatch(/^755 0 0 run\/deep\/er$/m);
    expect(shown).toMatch(/^644 0 0 etc\/hosts$/m);
    expect(commands).toMatch(/^0022$/m);
    expect(`${shown}${commands}`).not.toMatch(
      /KATHMANDU|Kathmandu|odd-host|proxy|127\.0\.0\.1:9|FROM_HOST|tr_TR/i,
    );
    expect(one.built).not.toContain("io.buildah.version");
    const own = ["bin", "containers.conf", "docker", "profile", "python", "source"];
    expect(readdirSync(odd.cwd).sort()).toEqual(own);
    expect(readdirSync(join(folder, "plain"))).toEqual([]);
  });
});
