import { expect, it } from "vitest";
import { serversOf } from "../src/shared-interpreter.js";

const shell = (script: string): string[] => ["sh", "-c", script];

it.each<[string, string[], string[][]]>([
  ["a program", ["uvicorn", "app:app", "--port", "80"], [["uvicorn", "app:app", "--port", "80"]]],
  ["a program in a shell", shell("exec uvicorn app:app"), [["uvicorn", "app:app"]]],
  [
    "several that a shell waits for",
    shell("uvicorn app:app --port 80 & uvicorn app:other --port 81 & wait"),
    [
      ["uvicorn", "app:app", "--port", "80"],
      ["uvicorn", "app:other", "--port", "81"],
    ],
  ],
])("knows the servers of %s", (_, command, servers) => {
  expect(serversOf(command)).toEqual(servers);
});

it.each<[string, string[]]>([
  ["nothing", []],
  ["a script", ["/bin/bash", "/start.sh"]],
  ["steps before it", shell("alembic upgrade head && uvicorn app:app")],
  ["variables", shell("uvicorn app:app --port $PORT")],
  ["quotes", shell("uvicorn 'app:app' & wait")],
  ["a shell that ends with the last", shell("uvicorn a:a & uvicorn b:b")],
  ["a shell that does not wait", shell("uvicorn a:a & uvicorn b:b &")],
  ["output to a file", shell("uvicorn a:a > /log & wait")],
  ["arguments of the script", [...shell("uvicorn a:a"), "x"]],
])("does not guess at %s", (_, command) => {
  expect(serversOf(command)).toBeUndefined();
});
