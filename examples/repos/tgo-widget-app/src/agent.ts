import { config } from "./config";

/** One run of tgo-ai's agent. */
export async function ask(input: string): Promise<string> {
  const response = await fetch(`${config.api}/v1/agents/${encodeURIComponent(config.agent)}/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input }),
  });
  if (!response.ok) throw new Error(`The agent cannot answer now (${response.status}).`);
  const { output } = (await response.json()) as { output: string };
  return output;
}
