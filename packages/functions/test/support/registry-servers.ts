import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MemoryRegistry } from "@tgo/testing";

/** A registry in memory behind a port: functions connect to it as to any other. */
export class RegistryServer {
  private constructor(
    readonly memory: MemoryRegistry,
    readonly host: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<RegistryServer> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const memory = new MemoryRegistry(host);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "GET", url = "/", headers } = request;
        const hasBody = method !== "GET" && method !== "HEAD";
        const init = {
          method,
          headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
          ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
        };
        void memory.fetch(`http://${host}${url}`, init).then(async (answer) => {
          const body = Buffer.from(await answer.arrayBuffer());
          response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
        });
      });
    });
    return new RegistryServer(memory, host, server);
  }

  /** Every tag of a repository with its digest. */
  tags(repository: string): Record<string, string | undefined> {
    const names = [...this.memory.manifests.keys()].flatMap((key) => {
      const [of, name = ""] = key.split(" ");
      return of === repository && !name.includes(":") ? [name] : [];
    });
    return Object.fromEntries(names.sort().map((tag) => [tag, this.memory.digestAt(repository, tag)]));
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
