import type { Directory, File, Secret, Service } from "@dagger.io/dagger";
import { expect, it } from "vitest";
import { commandStart, argumentWords, nameCommands, nextOf } from "../src/commands.js";

const file = (name: string): File => ({ name: () => Promise.resolve(name) }) as unknown as File;
const secret = (uri: string): Secret => ({ uri: () => Promise.resolve(uri) }) as unknown as Secret;
const service = { endpoint: () => Promise.resolve("abcdef.dagger.local:5003") } as unknown as Service;

it("in a module, a command has the constructor's flags before the function's name", async () => {
  const start = await commandStart(
    {
      catalog: file("tgo.catalog.json"),
      registry: ["localhost:5003/tgo", "mine=ghcr.io/me/{service}"],
      registryService: [service],
      mirror: ["docker.io=mirror.example.com/hub"],
      dockerConfig: secret("file://$HOME/.docker/config.json"),
      npmrc: secret(""),
    },
    {},
  );
  expect(start).toBe(
    "dagger call --catalog FILL_IN/tgo.catalog.json --registry localhost:5003/tgo " +
      "--registry 'mine=ghcr.io/me/{service}' --registry-service tcp://localhost:5003 " +
      "--mirror docker.io=mirror.example.com/hub --docker-config 'file://$HOME/.docker/config.json' --npmrc FILL_IN",
  );
});

it("on the caller's machine, a command is the one that was started", async () => {
  expect(await commandStart({ catalog: file("x") }, { local: true, command: "npx --no-install tgo" })).toBe(
    "npx --no-install tgo",
  );
});

it("names our functions only, and no command twice", () => {
  const start = "npx --no-install tgo";
  expect(nameCommands("See tgo status (tgo verify --tag 1.0.0).", start)).toBe(
    "See npx --no-install tgo status (npx --no-install tgo verify --tag 1.0.0).",
  );
  for (const text of ["the tgo image", "npx --no-install tgo status", "./tgo status", "--label tgo"]) {
    expect(nameCommands(text, start)).toBe(text);
  }
});

it("in a module, a command whose paths Dagger hides is never one to copy", () => {
  const start = "dagger call --catalog FILL_IN/tgo.catalog.json";
  const remark = "Put your own path in the place of each FILL_IN: Dagger does not tell it to a module.";
  expect(nameCommands("Copy it:\ntgo promote --version 1.0.0", start)).toBe(
    `Copy it:\n${start} promote --version 1.0.0\n${remark}`,
  );
  expect(nameCommands("tgo status tells it", start, " ")).toBe(`${start} status tells it. ${remark}`);
  expect(nameCommands("Log in.", start)).toBe("Log in.");
  expect(nextOf(`${start} publish --service tgo-api --source FILL_IN --revision abc`)).toEqual({
    nextInWords: "run the same command again, with the same --catalog, --source",
  });
  const known = "dagger call --docker-config file://x promote --version 1.0.0";
  expect(nextOf(known)).toEqual({ next: known });
});

it("flags say the same again; what Dagger does not tell is marked, and fails", () => {
  const source = {} as unknown as Directory;
  const flags = { service: "tgo-api,tgo-web", source, gitTag: "v1.2.3", value: ["A=b c", "D=it's"] };
  expect(argumentWords({ ...flags, adoptLatest: true, allowBackwards: false, revision: undefined })).toEqual([
    ...["--service", "tgo-api,tgo-web", "--source", "FILL_IN", "--git-tag", "v1.2.3"],
    ...["--value", "'A=b c'", "--value", String.raw`'D=it'\''s'`, "--adopt-latest"],
  ]);
});
