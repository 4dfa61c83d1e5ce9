import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { cacheFolder, dockerConfigFolder, homeFolder } from "@tgo/host";

const known = userInfo().homedir;

describe("the caller's folders", () => {
  it.each([
    ["/home/me", "/home/me"],
    ["/nonexistent", "/nonexistent"],
    [undefined, known],
    ["", known],
    ["relative", known],
  ])("HOME=%s is %s", (HOME, expected) => {
    expect(homeFolder({ HOME })).toBe(expected);
    expect(cacheFolder({ HOME })).toBe(`${expected}/.cache`);
  });

  it.each([
    ["/cache", "/cache"],
    [undefined, "/me/.cache"],
    ["", "/me/.cache"],
    ["relative", "/me/.cache"],
  ])("XDG_CACHE_HOME=%s is %s", (XDG_CACHE_HOME, expected) => {
    expect(cacheFolder({ HOME: "/me", XDG_CACHE_HOME })).toBe(expected);
  });

  it.each([
    ["/config", "/config"],
    ["config", "config"],
    [undefined, "/me/.docker"],
    ["", "/me/.docker"],
  ])("DOCKER_CONFIG=%s is %s", (DOCKER_CONFIG, expected) => {
    expect(dockerConfigFolder({ DOCKER_CONFIG }, "/me")).toBe(expected);
  });
});
