import type { Client } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { answerCall, prepareCall, type Call } from "../src/answer-call.js";
import surface from "../module-api.json";

const loader =
  (type: string) =>
  (id: string): object => ({ id: () => Promise.resolve(`${type} ${id}`) });

const client = {
  loadWorkspaceFromID: loader("Workspace"),
  loadDirectoryFromID: loader("Directory"),
  loadFileFromID: loader("File"),
  loadSecretFromID: loader("Secret"),
  loadServiceFromID: loader("Service"),
} as unknown as Client;

class Setup {
  catalog: unknown;
  registryService: unknown;
  /** Setups are told apart from other objects by their type. */
  isSetup(): boolean {
    return true;
  }
}

class Image {
  setup = new Setup();
  service = "";
  passwords: unknown[] = [];
  withValue(name: string, value: string): Image {
    return Object.assign(new Image(), this, { service: `${this.service} ${name}=${value}` });
  }
  candidate(): unknown {
    return { image: this, isSetup: this.setup.isSetup(), passwords: this.passwords };
  }
}

/** Shows what a call made of its arguments. */
class Tgo {
  private setup: Setup;
  constructor(catalog?: unknown, _registry?: string[], registryService?: unknown[]) {
    this.setup = Object.assign(new Setup(), { catalog, registryService });
  }
  publish(...values: unknown[]): unknown {
    const { catalog, registryService } = this.setup;
    return { values, catalog, registryService, isSetup: this.setup.isSetup() };
  }
  image(service: string): Image {
    return Object.assign(new Image(), { setup: this.setup, service });
  }
  build(): unknown {
    return loader("Container")("built");
  }
  services(): undefined {
    return undefined;
  }
}

function call(name: string, values: object, parent: object | null = {}, parentName = "Tgo"): Call {
  const inputArgs = Object.entries(values).map(([key, value]) => ({
    name: key,
    value: JSON.stringify(value),
  }));
  return { parentName, name, parent: JSON.stringify(parent), inputArgs };
}

const answer = (question: Call): Promise<unknown> | undefined =>
  prepareCall(question, [Tgo, Setup, Image], client)?.();

/** Values of arguments that are not given. */
const none = (count: number): null[] => Array<null>(count).fill(null);

describe("a call of the module", () => {
  it("constructs the object: its state has ids, and nothing that is not set", async () => {
    expect(await answer(call("", { registryService: ["a", "b"], catalog: "c" }))).toEqual({
      setup: { catalog: "File c", registryService: ["Service a", "Service b"] },
    });
  });

  it("runs a function on that state, with arguments in order, and values in place of enums' names", async () => {
    const values = { format: "Json", service: ["tiny"], strictParity: true, source: "s" };
    expect(await answer(call("publish", values, { setup: { catalog: "c", registryService: null } }))).toEqual(
      {
        values: [["tiny"], "Directory s", ...none(4), true, ...none(7), "json"],
        isSetup: true,
        catalog: "File c",
      },
    );
  });

  it("returns an object of the module as what it keeps, and runs that object's functions on it", async () => {
    const image = await answer(call("image", { service: "api" }, { setup: { catalog: "c" } }));
    expect(image).toEqual({ setup: { catalog: "File c" }, service: "api", passwords: [] });
    const state = { setup: { catalog: "c" }, service: "api", passwords: ["p"] };
    const next = call("withValue", { name: "A", value: "1" }, state, "Image");
    expect(await answer(next)).toMatchObject({ service: "api A=1", passwords: ["Secret p"] });
    expect(await answer(call("candidate", {}, state, "Image"))).toEqual({
      image: { setup: { catalog: "File c" }, service: "api", passwords: ["Secret p"] },
      isSetup: true,
      passwords: ["Secret p"],
    });
  });

  it("returns an object of the engine as its id, and nothing as null", async () => {
    expect(await answer(call("build", {}, null))).toBe("Container built");
    expect(await answer(call("services", {}))).toBeNull();
  });

  it("is left to the SDK if the API does not have it", () => {
    expect(answer({ ...call("", {}), parentName: "" })).toBeUndefined();
    expect(answer({ ...call("", {}), parentName: "Other" })).toBeUndefined();
    expect(answer(call("secret", {}))).toBeUndefined();
    expect(answer(call("", {}, {}, "Image"))).toBeUndefined();
    expect(answer(call("setup", {}, {}, "Image"))).toBeUndefined();
  });

  it("can have every argument of the API", async () => {
    const valueOf = (type: { kind: string; name?: string; of?: object }): unknown =>
      type.kind === "list" ? [valueOf(type.of as { kind: string })] : "x";
    const functions = [
      { name: "", arguments: surface.constructor.arguments },
      ...surface.functions,
      ...surface.moduleFunctions,
    ];
    for (const { name, arguments: list } of functions) {
      const values = Object.fromEntries(list.map((each) => [each.name, valueOf(each.type)]));
      class All extends Tgo {}
      Object.defineProperty(All, "name", { value: "Tgo" });
      Object.defineProperty(All.prototype, name === "" ? "unused" : name, { value: () => "done" });
      await expect(prepareCall(call(name, values), [All, Setup], client)?.()).resolves.toBeDefined();
    }
  });

  it("is answered in a module's runtime only", async () => {
    await expect(answerCall([Tgo], client)).resolves.toBeUndefined();
  });
});
