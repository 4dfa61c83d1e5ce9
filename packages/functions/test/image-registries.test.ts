import type { Secret } from "@dagger.io/dagger";
import { expect, it } from "vitest";
import { registryRepository } from "@tgo/catalog";
import { imageRegistries, loginOf } from "../src/image-registries.js";

const password = {} as unknown as Secret;

it("An image goes to exactly the repositories that are named, whatever the service is called", () => {
  const names = ["ghcr.io/me/app", "docker.io/me/{service}", "localhost:5001/shop"];
  const registries = imageRegistries({ service: "tgo-api", names });
  expect(Object.keys(registries)).toEqual(["ghcr.io", "docker.io", "localhost:5001"]);
  expect(Object.values(registries).map((each) => registryRepository(each, "tgo-api"))).toEqual([
    { host: "ghcr.io", repository: "me/app" },
    { host: "docker.io", repository: "me/tgo-api" },
    { host: "localhost:5001", repository: "shop" },
  ]);
});

it("Two repositories of one host have their whole names in reports", () => {
  const registries = imageRegistries({ service: "api", names: ["ghcr.io/a/x", "ghcr.io/b/x"] });
  expect(Object.keys(registries)).toEqual(["ghcr.io/a/x", "ghcr.io/b/x"]);
});

it.each([
  [["ghcr.io/me/app", "ghcr.io/me/app"], "ghcr.io/me/app is named twice"],
  [["ghcr.io/me/app:1.2.3"], '"ghcr.io/me/app:1.2.3" names a tag or a digest: a repository has neither'],
  [["/me/app"], /is not an image reference/],
  [["ghcr.io/"], /is not an image reference/],
  [["ghcr.io/Me/App"], /is not an image reference/],
])("%j are no repositories of an image", (names, what) => {
  const made = (): unknown => imageRegistries({ service: "api", names });
  expect(made).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
  expect(made).toThrow(what);
});

it("Credentials are whole, or none", () => {
  expect(loginOf("ghcr.io", undefined, undefined)).toBeUndefined();
  expect(loginOf("ghcr.io", "me", password)).toEqual({ host: "ghcr.io", username: "me", password });
  expect(() => loginOf("ghcr.io", "me", undefined)).toThrow("ghcr.io has no password");
  expect(() => loginOf("ghcr.io", undefined, password)).toThrow("ghcr.io has no user name");
  expect(() => loginOf("ghcr.io", " ", password)).toThrow("ghcr.io has no user name");
});
