import { describe, expect, it } from "vitest";
import { healthRequest } from "../src/index.js";

describe("The request of a health check", () => {
  it.each<[string, number, string]>([
    ["curl -fsS http://127.0.0.1:8003/health", 8003, "/health"],
    ["curl -f http://localhost", 80, "/"],
    ["curl -f HTTP://LocalHost:81/x", 81, "/x"],
    ["wget -qO- 'http://[::1]:9000/up' || exit 1", 9000, "/up"],
    ["wget http://[::]:9000", 9000, "/"],
    // A shell ends an unquoted word; quotes keep it together.
    ["curl http://localhost/up?x=1&echo ok", 80, "/up?x=1"],
    ["curl 'http://localhost/up?x=1&y=2' && true", 80, "/up?x=1&y=2"],
    ["(curl http://0.0.0.0:81/x)", 81, "/x"],
    ["curl http://localhost/x>/dev/null", 80, "/x"],
    [`python -c "urlopen('http://localhost:8000/h').read()"`, 8000, "/h"],
    [JSON.stringify(["curl", "http://localhost/h?a=1&b=2"]), 80, "/h?a=1&b=2"],
    [JSON.stringify(["sh", "-c", 'curl "http://localhost/h"; true']), 80, "/h"],
    [JSON.stringify(["sh", "-c", "curl http://localhost/h\ntrue"]), 80, "/h"],
    ["curl http://localhost/a#part", 80, "/a"],
    ["curl http://localhost?x=1", 80, "/"],
    // The first that can be sent as it is.
    ["curl http://db:5432/ && curl http://localhost:$PORT/a && curl http://localhost:8080/b", 8080, "/b"],
  ])("%s", (command, port, path) => {
    expect(healthRequest(command)).toEqual({ port, path });
  });

  it.each([
    "",
    "pg_isready",
    "curl http://db:5432/",
    "curl http://localhost.example.com/",
    "curl http://127.0.0.1.nip.io/",
    "curl http://localhost@evil.example/",
    "curl http://user:password@localhost/",
    "curl http://localhost:${PORT:-8000}/health",
    "curl http://localhost:8000/$PATH_OF_HEALTH",
    "curl http://localhost:0/",
    "curl http://localhost:70000/",
    "curl -k https://localhost/health",
    "curl shttp://localhost/",
  ])("is none of: %s", (command) => {
    expect(healthRequest(command)).toBeUndefined();
  });
});
