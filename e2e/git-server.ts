import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Dagger's module addresses take a host with a dot. */
const HOST = "127.0.0.1";

/**
 * Serves repositories over HTTP, as `http://127.0.0.1/NAME.git`, with git's own server program.
 * @param folder with the repositories
 * @param port 80 by default, as Dagger's module addresses take none; 0 for any
 * @throws if something else listens on the port
 */
export async function startGitServer(
  folder: string,
  port = 80,
): Promise<{ address: string; stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${HOST}`);
    const { headers, method = "GET" } = request;
    const backend = spawn("git", ["http-backend"], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers["content-type"],
        HTTP_CONTENT_ENCODING: headers["content-encoding"],
        GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.once("close", () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf("\r\n\r\n");
      const lines = answer.subarray(0, end).toString().split("\r\n");
      const fields = lines.map((line) => line.split(/: (.*)/) as [string, string]);
      const status = fields.find(([name]) => name === "Status")?.[1] ?? "200";
      response
        .writeHead(
          Number.parseInt(status, 10),
          Object.fromEntries(fields.filter(([name]) => name !== "Status")),
        )
        .end(answer.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, HOST, resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  return {
    address: `http://${HOST}${chosen === 80 ? "" : `:${chosen}`}`,
    stop: () =>
      new Promise((resolve) => {
        server
          .close(() => {
            resolve();
          })
          .closeAllConnections();
      }),
  };
}
