import { applyOverride } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { smokePlan, type SmokePlan } from "../src/smoke-plan.js";

function plan(definition: object): SmokePlan {
  const { service } = applyOverride({ services: { service: { title: "Service", ...definition } } }).services;
  if (service === undefined) throw new Error("no service");
  return smokePlan(service);
}

const python = { build: { strategy: "python" } };
const web = { build: { strategy: "static-web" } };
const healthcheck = (...command: string[]): object => ({ image: { healthcheck: { command } } });

describe("the smoke test of a definition without one", () => {
  it("imports the packages of a Python service, and starts nothing without a request to send", () => {
    expect(plan(python)).toMatchObject({
      machine: undefined,
      exec: [],
      imports: { environment: "/app/.venv" },
      http: [],
    });
  });

  it("checks nginx's configuration, and requests the first page", () => {
    expect(plan(web)).toMatchObject({
      exec: [{ command: ["nginx", "-t"], platforms: "every" }],
      imports: undefined,
      http: [{ port: 80, path: "/", status: 200 }],
    });
    expect(plan({ ...web, image: { ports: [8080, 9090] } }).http).toEqual([
      { port: 8080, path: "/", status: 200 },
    ]);
  });

  it.each<[string, object, { port: number; path: string } | undefined]>([
    ["curl", healthcheck("curl", "-fsS", "http://127.0.0.1:8003/health"), { port: 8003, path: "/health" }],
    [
      "a shell",
      healthcheck("sh", "-c", "wget -qO- 'http://localhost/up?x=1' || exit 1"),
      { port: 80, path: "/up?x=1" },
    ],
    ["no path", healthcheck("curl", "-f", "http://[::1]:9000"), { port: 9000, path: "/" }],
    ["Python", healthcheck("python", "-c", 'urlopen("http://0.0.0.0:81/x")'), { port: 81, path: "/x" }],
    ["another host", healthcheck("curl", "http://db:5432/"), undefined],
    ["a program", healthcheck("pg_isready"), undefined],
  ])("sends the request of the health check: %s", (_, image, request) => {
    expect(plan({ ...python, ...image }).http).toEqual(
      request === undefined ? [] : [{ ...request, status: 200 }],
    );
  });
});

describe("the smoke test of a definition with one", () => {
  it("sends the declared requests, runs the declared commands, and runs no command twice", () => {
    const smoke = {
      http: [{ port: 1, path: "/a" }],
      exec: [["nginx", "-t"], { command: ["true"], platforms: "one" }],
    };
    expect(plan({ ...web, ...healthcheck("curl", "http://localhost/"), smoke })).toMatchObject({
      exec: [
        { command: ["nginx", "-t"], platforms: "every" },
        { command: ["true"], platforms: "one" },
      ],
      http: [{ port: 1, path: "/a", status: 200 }],
    });
  });

  it("imports nothing if disabled, or for a Dockerfile", () => {
    expect(plan({ ...python, smoke: { imports: false } })).toMatchObject({
      imports: undefined,
      machine: ["python", "-c", "import platform; print(platform.machine())"],
    });
    expect(plan({ build: { strategy: "dockerfile" } })).toMatchObject({
      imports: undefined,
      machine: ["uname", "-m"],
    });
  });
});
